/**
 * A handler of keys that leaves alone what belongs to an input method: Enter that takes a candidate and Escape that drops one say
 * nothing to the page. Some browsers tell of it by the code 229 alone.
 */
export const plain =
  <E extends KeyboardEvent>(handle: (e: E) => void) =>
  (e: E) => {
    if (!e.isComposing && e.keyCode !== 229) handle(e)
  }

/** Escape that puts away a part of the page, and nothing around it. */
export const escapes = (e: KeyboardEvent, putAway: () => unknown) =>
  plain(() => {
    e.stopPropagation()
    e.preventDefault()
    putAway()
  })(e)
