CREATE TABLE `alerts` (
	`row_id` integer PRIMARY KEY NOT NULL,
	`alert_id` text NOT NULL,
	`node_id` text NOT NULL,
	`camera_id` text,
	`source` text NOT NULL,
	`code` text NOT NULL,
	`severity` text NOT NULL,
	`message` text NOT NULL,
	`params` text NOT NULL,
	`raised_at_ms` integer NOT NULL,
	`cleared_at_ms` integer,
	`count` integer NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alerts_alert_id` ON `alerts` (`alert_id`);--> statement-breakpoint
CREATE INDEX `alerts_raised` ON `alerts` (`raised_at_ms`,`alert_id`);--> statement-breakpoint
CREATE INDEX `alerts_active` ON `alerts` (`node_id`) WHERE cleared_at_ms IS NULL;