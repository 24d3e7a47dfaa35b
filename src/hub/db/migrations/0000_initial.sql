CREATE TABLE `api_keys` (
	`key_id` text PRIMARY KEY NOT NULL,
	`secret_sha256` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`node_id` text,
	`created_at_ms` integer NOT NULL,
	`revoked_at_ms` integer
);
--> statement-breakpoint
CREATE TABLE `cameras` (
	`camera_id` text PRIMARY KEY NOT NULL,
	`node_id` text NOT NULL,
	`name` text NOT NULL,
	`source` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `nodes` (
	`node_id` text PRIMARY KEY NOT NULL,
	`ip_address` text NOT NULL,
	`registered_at_ms` integer NOT NULL,
	`last_heartbeat_ms` integer,
	`software_version` text NOT NULL,
	`config_version` text NOT NULL,
	`time_zone` text NOT NULL,
	`segment_seconds` integer NOT NULL,
	`last_heartbeat_json` text
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`token_sha256` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`user_id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`user_id`);--> statement-breakpoint
CREATE INDEX `sessions_expiry` ON `sessions` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `settings` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `users` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`password_hash` text NOT NULL,
	`role` text NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_name` ON `users` (`name`);--> statement-breakpoint
CREATE TABLE `videos` (
	`row_id` integer PRIMARY KEY NOT NULL,
	`video_id` text NOT NULL,
	`camera_id` text NOT NULL,
	`node_id` text NOT NULL,
	`run_id` text NOT NULL,
	`sequence` integer NOT NULL,
	`start_time_ms` integer NOT NULL,
	`end_time_ms` integer NOT NULL,
	`time_zone` text NOT NULL,
	`local_date` text NOT NULL,
	`local_weekday` integer NOT NULL,
	`local_minute` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`codec` text NOT NULL,
	`width` integer NOT NULL,
	`height` integer NOT NULL,
	`fps` real NOT NULL,
	`recorded_sha256` text NOT NULL,
	`clock_state` text NOT NULL,
	`software_version` text NOT NULL,
	`file_path` text NOT NULL,
	`file_size_bytes` integer NOT NULL,
	`file_sha256` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`status` text NOT NULL,
	`notes` text NOT NULL,
	FOREIGN KEY (`camera_id`) REFERENCES `cameras`(`camera_id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `videos_video_id` ON `videos` (`video_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `videos_file_path` ON `videos` (`file_path`);--> statement-breakpoint
CREATE INDEX `videos_camera_start` ON `videos` (`camera_id`,`start_time_ms`,`video_id`,`local_weekday`,`local_minute`,`duration_ms`,`file_size_bytes`,`status`,`node_id`,`file_path`,`notes`);--> statement-breakpoint
CREATE INDEX `videos_start` ON `videos` (`start_time_ms`,`video_id`,`local_weekday`,`local_minute`,`duration_ms`,`file_size_bytes`,`status`,`node_id`,`file_path`,`notes`);--> statement-breakpoint
CREATE INDEX `videos_camera_date` ON `videos` (`camera_id`,`local_date`);--> statement-breakpoint
CREATE INDEX `videos_span` ON `videos` (("end_time_ms" - "start_time_ms"));--> statement-breakpoint
CREATE INDEX `videos_not_available` ON `videos` (`start_time_ms`,`video_id`) WHERE status <> 'available';