/** Whether a key is the page's, and not an input method's. Some browsers tell of that by the code 229 alone. */
export const isPlain = (e: KeyboardEvent) => !e.isComposing && e.keyCode !== 229

/**
 * A handler of keys that leaves alone what belongs to an input method: Enter that takes a candidate and Escape that drops one say
 * nothing to the page.
 */
export const plain =
  <E extends KeyboardEvent>(handle: (e: E) => void) =>
  (e: E) => {
    if (isPlain(e)) handle(e)
  }

/** Escape that puts away a part of the page, and nothing around it. */
export const escapes = (e: KeyboardEvent, putAway: () => unknown) =>
  plain(() => {
    e.stopPropagation()
    e.preventDefault()
    putAway()
  })(e)
