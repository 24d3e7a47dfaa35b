CREATE TABLE `bookmarks` (
	`node_id` text PRIMARY KEY NOT NULL,
	`bookmark` text NOT NULL
);
