// @ts-check
// How long what is drawn into Streamlit's element lives: Streamlit ends it before it shows new data in it, and the
// old picture is to stay until the new one is there.

const RELEASE_MS = 400;

/** @typedef {(name: string, value: unknown) => void} Report */

/** What is drawn: a subclass shows data, one after the other, and takes itself away. @template Data */
export class Mounted {
  /** @param {string} called On the console. */
  constructor(called) {
    this.called = called;
    this.token = 0;
    this.queue = Promise.resolve();
    /** @type {Report | undefined} */
    this.report = undefined;
    /** @type {(() => void) | undefined} */
    this.onEnd = undefined;
  }

  /** @param {Data} _data @returns {Promise<void>} */
  async show(_data) {
    throw new Error("show is to be given");
  }

  end() {
    throw new Error("end is to be given");
  }

  /** Show new data; of several that wait, the last. @param {Data} data @param {Report} report */
  adopt(data, report) {
    const token = ++this.token;
    clearTimeout(this.ending);
    this.report = report;
    this.queue = this.queue.then(() => (token === this.token ? this.show(data) : undefined)).catch((error) => this.fail(error));
    return token;
  }

  /** @param {unknown} error */
  fail(error) {
    console.error(this.called, error);
    this.report?.("failed", String(error).slice(0, 200));
  }

  /** End, unless somebody has shown something here since. @param {number} token */
  release(token) {
    if (token !== this.token) return;
    this.ending = setTimeout(() => {
      this.end();
      this.onEnd?.();
    }, RELEASE_MS);
  }
}

/**
 * What Streamlit calls at the first drawing and whenever the data have changed.
 * @param {(parent: any) => Mounted<any>} make
 */
export function mounting(make) {
  /** @type {WeakMap<object, Mounted<any>>} */
  const there = new WeakMap();
  return (/** @type {any} */ { data, parentElement, setTriggerValue }) => {
    const own = there.get(parentElement) ?? make(parentElement);
    own.onEnd = () => there.delete(parentElement);
    there.set(parentElement, own);
    const token = own.adopt(data, setTriggerValue);
    return () => own.release(token);
  };
}
