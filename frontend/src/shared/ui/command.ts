import { isPlain } from './keys'

/** Whether typing goes into this element, so that letters are text and not commands. */
export function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)
}

/**
 * The key of a page's command, in lower case, as with the shift lock on keys do what they did. Null where the key is text, the
 * browser's, an input method's, or belongs to an open dialog. Escape first leaves the field in which it is pressed.
 *
 * On every page / goes to the search field, ? shows the keys, j and k move, and Escape steps back.
 */
export function commandOf(e: KeyboardEvent): string | null {
  if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || !isPlain(e)) return null
  if (document.querySelector('dialog[open]')) return null
  if (takesText(e.target)) {
    if (e.key === 'Escape') (e.target as HTMLElement).blur()
    return null
  }
  return e.key.toLowerCase()
}
