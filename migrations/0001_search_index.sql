-- The search index over messages: rowid is messages.id, terms come ready made from
-- src/history/terms.ts, with spaces between (so `ascii`, which splits at nothing else in them).
--
-- It keeps no copy of the text (content='') and no sizes (columnsize=0), which leaves one row
-- written per message. A message leaves the index by naming its terms once more;
-- secure-delete erases them at once, where FTS5 would else only mark them as gone.
CREATE VIRTUAL TABLE `messages_fts` USING fts5(`terms`, content='', columnsize=0, tokenize='ascii');
--> statement-breakpoint
INSERT INTO `messages_fts` (`messages_fts`, `rank`) VALUES ('secure-delete', 1);
