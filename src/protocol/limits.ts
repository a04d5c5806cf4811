/**
 * Every bound of the wire, in one place. Client and server enforce the same numbers, so that a
 * client can refuse early what the server would refuse anyway.
 */

/** Version of the frames below. A client that says another one is told so and not served. */
export const PROTOCOL_VERSION = 2;

/** The largest frame a client may send, in UTF-8 bytes. */
export const MAX_FRAME_BYTES = 64 * 1024;
/** The largest message text, in UTF-8 bytes; leaves room in a frame for JSON escapes. */
export const MAX_TEXT_BYTES = 32 * 1024;
/** Longest client-chosen message id, in characters. */
export const MAX_ID_LENGTH = 64;
/** Longest session title, in characters. */
export const MAX_TITLE_LENGTH = 200;
/** Longest folder name, in characters. */
export const MAX_FOLDER_LENGTH = 100;
/** Messages that may wait in one session, the running one not counted. */
export const MAX_QUEUE_LENGTH = 100;
/** Highest priority of a message; 0 is the normal one. */
export const MAX_PRIORITY = 2;
/** Longest answer (text and thinking together), in UTF-16 code units; a longer one is cut and says so. */
export const MAX_REPLY_LENGTH = 256 * 1024;

/** Bytes a tab may have unacknowledged before the server stops sending to it. */
export const CREDIT_WINDOW_BYTES = 256 * 1024;
/** A client returns credit at least this often, in bytes read. */
export const CREDIT_STEP_BYTES = 64 * 1024;

/** Events a tab without history gets on `hello`; older ones are paged over HTTP. */
export const FIRST_PAGE_EVENTS = 100;
/** A tab that lacks more events than this gets the first page again instead of them all. */
export const MAX_REPLAY_EVENTS = 1_000;

/** How often a client pings. The answer comes from the platform without waking the session. */
export const PING_INTERVAL_MS = 4_000;
/** A connection silent for this long is dead; with the interval above, noticed within 10 s. */
export const SILENCE_TIMEOUT_MS = 9_000;
/** Time a new socket has to say `hello`. */
export const HELLO_TIMEOUT_MS = 10_000;
/** Connections (tabs, devices) one session serves. */
export const MAX_TABS = 64;
/** Frames a tab may send on average, and at once after a pause. */
export const FRAMES_PER_SECOND = 50;
export const MAX_FRAMES_AT_ONCE = 250;
/**
 * Messages that a session takes on average, over all its sockets and requests, and at once after a
 * pause; edits, withdrawals and answers asked for again count like messages. Twice what the busiest session is built for: it stops abuse, not people.
 */
export const MESSAGES_PER_SECOND = 20;
export const MAX_MESSAGES_AT_ONCE = 200;
/** Bad frames after which a socket is closed: a broken or hostile client, not a slip. */
export const MAX_BAD_FRAMES = 20;
