CREATE TABLE `gaps` (
	`row_id` integer PRIMARY KEY NOT NULL,
	`gap_id` text NOT NULL,
	`camera_id` text NOT NULL,
	`node_id` text NOT NULL,
	`from_ms` integer NOT NULL,
	`to_ms` integer NOT NULL,
	`cause` text NOT NULL,
	`detail` text NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `gaps_gap_id` ON `gaps` (`gap_id`);--> statement-breakpoint
CREATE INDEX `gaps_camera_from` ON `gaps` (`camera_id`,`from_ms`,`gap_id`);--> statement-breakpoint
CREATE INDEX `gaps_from` ON `gaps` (`from_ms`,`gap_id`);--> statement-breakpoint
CREATE INDEX `gaps_span` ON `gaps` (("to_ms" - "from_ms"));