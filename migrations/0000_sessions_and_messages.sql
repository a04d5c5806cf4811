CREATE TABLE `messages` (
	`id` integer PRIMARY KEY NOT NULL,
	`turn` integer NOT NULL,
	`rev` integer NOT NULL,
	`role` text NOT NULL,
	`status` text NOT NULL,
	`at` integer NOT NULL,
	`client_id` text,
	`priority` integer,
	`attempt` integer,
	`model` text,
	`finish` text,
	`usage` text,
	`error` text,
	`text` text NOT NULL,
	`thinking` text,
	CONSTRAINT "messages_seq" CHECK(id % 4194304 > 0)
);
--> statement-breakpoint
CREATE TABLE `removed_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`num` integer,
	`user_id` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`num` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`user_id` text NOT NULL,
	`bot_id` text NOT NULL,
	`bot_name` text NOT NULL,
	`bot_model` text NOT NULL,
	`title` text NOT NULL,
	`archived` integer DEFAULT false NOT NULL,
	`folder` text DEFAULT '' NOT NULL,
	`created_at` integer NOT NULL,
	`settings_seq` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_id` ON `sessions` (`id`);--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`user_id`);