CREATE TABLE `alerts` (
	`bot` text NOT NULL,
	`rule` text NOT NULL,
	`severity` text NOT NULL,
	`started_at` integer NOT NULL,
	`resolved_at` integer,
	`value` real NOT NULL,
	`threshold` real NOT NULL,
	PRIMARY KEY(`bot`, `rule`, `severity`, `started_at`)
);
--> statement-breakpoint
CREATE INDEX `alerts_started` ON `alerts` (`started_at`);--> statement-breakpoint
CREATE TABLE `audit` (
	`bot` text NOT NULL,
	`seq` integer NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`detail` text NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`bot`, `seq`)
);
--> statement-breakpoint
CREATE INDEX `audit_at` ON `audit` (`at`);--> statement-breakpoint
CREATE TABLE `bots` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`model` text NOT NULL,
	`state` text NOT NULL,
	`spec` text,
	`revision` integer NOT NULL,
	`deleted` integer DEFAULT false NOT NULL,
	`status` text NOT NULL,
	`version` integer NOT NULL,
	`updated_at` integer NOT NULL
);
