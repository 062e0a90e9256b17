import { onBeforeUnmount, onMounted } from 'vue'

export interface KeyActions {
  search: () => void
  move: (step: 1 | -1) => void
  /** Opens the row that is lit; false when none is. */
  open: () => boolean
  zoom: (step: 1 | -1) => void
  filters: () => void
  words: () => void
  time: () => void
  unplaced: () => void
  file: () => void
  keys: () => void
  escape: () => void
}

/** Whether typing goes into this element, so that letters are text and not commands. */
export function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)
}

/** The keys of the page. A field keeps its letters; Escape first belongs to what is open over the page. */
export function useKeys(act: KeyActions): void {
  function pressed(e: KeyboardEvent) {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return
    if (document.querySelector('dialog[open]')) return
    if (e.key === 'Escape') {
      if (takesText(e.target)) (e.target as HTMLElement).blur()
      else act.escape()
      return
    }
    if (takesText(e.target)) return
    const run: Record<string, () => unknown> = {
      '/': act.search,
      j: () => act.move(1),
      k: () => act.move(-1),
      '+': () => act.zoom(1),
      '=': () => act.zoom(1),
      '-': () => act.zoom(-1),
      f: act.filters,
      s: act.words,
      t: act.time,
      u: act.unplaced,
      n: act.file,
      '?': act.keys,
    }
    if (e.key === 'Enter') {
      // A focused button or link keeps its Enter.
      if (e.target instanceof HTMLElement && e.target.closest('button, a, [role="slider"], summary')) return
      if (act.open()) e.preventDefault()
      return
    }
    // Capitals too: with the shift lock on the keys do what they did.
    const action = run[e.key.toLowerCase()]
    if (!action) return
    e.preventDefault()
    action()
  }
  onMounted(() => document.addEventListener('keydown', pressed))
  onBeforeUnmount(() => document.removeEventListener('keydown', pressed))
}
