/**
 * Looks at the page from within: when a frame came, when it was on the screen, how smoothly the page
 * scrolls and takes keys. Runs in the browser, before the page's own scripts.
 *
 * "On the screen" is the end of the drawing in which the change stood in the document: if the page
 * changed it while a frame was being prepared, that frame's, else the next one's.
 */

/** How long it took until a frame of the wire, or a key, was on the screen. */
export interface Shown {
  /** `message`, `reply` and `delta`: what the frame was; `key`. */
  kind: string;
  ms: number;
}

export interface Scrolled {
  frames: number;
  ms: number;
  /** The longest time from one frame to the next. */
  longestMs: number;
}

export interface Probe {
  /** Nothing is noted before; a page that opens gets many frames at once. */
  armed: boolean;
  /** What was noted since this was asked last, and what has not been seen on the screen yet. */
  take(): { shown: Shown[]; open: number };
  /** Scrolls up and down, so many pixels a frame. */
  scroll(ms: number, pixels: number): Promise<Scrolled>;
  /** Loads older messages until there are no more, or the time is over. */
  loadAll(ms: number): Promise<{ messages: number; ms: number }>;
  messages(): number;
  /** Ends the page's connection; the page takes it for a loss. */
  disconnect(): void;
  /** Connections that were opened so far. */
  connections(): number;
}

declare global {
  interface Window {
    loadProbe: Probe;
  }
}

/** All of it in one function: it is sent to the browser as text. */
export function installProbe(): void {
  /** Any code of the 4000s may be said by a page; the client connects again after all it does not know. */
  const LOST = 4000;
  const state = { armed: false };
  const sockets: WebSocket[] = [];
  let shown: Shown[] = [];
  let open: { kind: string; seq: number; at: number }[] = [];
  let keys: number[] = [];
  /** A frame is being prepared: what changes now is drawn with it. */
  let preparing = false;

  /** The next task comes after the drawing that this frame's callbacks are followed by. */
  const afterTask = (callback: () => void): void => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      callback();
    };
    port2.postMessage(null);
  };
  const nativeFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) =>
    nativeFrame((at) => {
      if (!preparing) {
        preparing = true;
        afterTask(() => (preparing = false));
      }
      callback(at);
    });
  const afterDrawing = (callback: () => void): void => {
    if (preparing) afterTask(callback);
    else nativeFrame(() => afterTask(callback));
  };

  const noteFrame = (at: number, data: unknown): void => {
    if (!state.armed || typeof data !== 'string') return;
    const { type, kind, seq }: { type: string; kind?: string; seq?: number } = JSON.parse(data);
    if (type === 'delta') open.push({ kind: 'delta', seq: 0, at });
    if (type === 'event' && (kind === 'message' || kind === 'reply')) open.push({ kind, seq: seq ?? 0, at });
  };
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      sockets.push(this);
      // Before the page's own listener.
      this.addEventListener('message', (event) => noteFrame(event.timeStamp, event.data));
    }
  };

  const isIn = (seq: number): boolean => document.querySelector(`[data-testid=message][data-seq="${seq}"]`) !== null;
  const changed = (records: readonly MutationRecord[]): void => {
    if (open.length === 0) return;
    const streamed = records.some(({ target }) => {
      const element = target instanceof Element ? target : target.parentElement;
      return element?.closest('[data-role=bot]') != null;
    });
    const here = open.filter(({ kind, seq }) => (kind === 'delta' ? streamed : isIn(seq)));
    if (here.length === 0) return;
    open = open.filter((frame) => !here.includes(frame));
    afterDrawing(() => {
      const now = performance.now();
      for (const { kind, at } of here) shown.push({ kind, ms: now - at });
    });
  };
  const watch = {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ['data-seq'],
  };
  new MutationObserver(changed).observe(document, watch);

  document.addEventListener('keydown', (event) => keys.push(event.timeStamp), true);
  document.addEventListener('input', () => {
    const pressed = keys;
    keys = [];
    afterDrawing(() => {
      const now = performance.now();
      for (const at of pressed) shown.push({ kind: 'key', ms: now - at });
    });
  });

  const scroller = (): Element => {
    const found = document.querySelector('.scroller');
    if (!found) throw new Error('The page shows no conversation.');
    return found;
  };
  const count = (): number => document.querySelectorAll('[data-testid=message]').length;
  const nextFrame = (): Promise<number> => new Promise((resolve) => nativeFrame(resolve));

  window.loadProbe = {
    get armed() {
      return state.armed;
    },
    set armed(armed) {
      state.armed = armed;
    },
    take() {
      const taken = shown;
      shown = [];
      return { shown: taken, open: open.length };
    },
    async scroll(ms, pixels) {
      const element = scroller();
      const end = element.scrollHeight - element.clientHeight;
      let step = -pixels;
      let frames = 0;
      let longestMs = 0;
      const startedAt = await nextFrame();
      let last = startedAt;
      while (last - startedAt < ms) {
        if (element.scrollTop <= 0) step = pixels;
        if (element.scrollTop >= end - 1) step = -pixels;
        element.scrollTop += step;
        const at = await nextFrame();
        frames += 1;
        longestMs = Math.max(longestMs, at - last);
        last = at;
      }
      return { frames, ms: last - startedAt, longestMs };
    },
    async loadAll(ms) {
      const element = scroller();
      const startedAt = performance.now();
      while (document.querySelector('[data-testid=older]') !== null && performance.now() - startedAt < ms) {
        // Away from the top first: only a move is told.
        if (element.scrollTop === 0) element.scrollTop = 1;
        else element.scrollTop = 0;
        await nextFrame();
      }
      return { messages: count(), ms: performance.now() - startedAt };
    },
    messages: count,
    disconnect: () => sockets.at(-1)?.close(LOST),
    connections: () => sockets.length,
  };
}
