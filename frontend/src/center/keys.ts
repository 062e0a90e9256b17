import { onBeforeUnmount, onMounted } from 'vue'
import { commandOf } from '../shared/ui/command'

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

/** The keys as they are shown, and the names of what they do. */
export const centerKeys = [
  [['/'], 'search'],
  [['S'], 'words'],
  [['J', 'K'], 'move'],
  [['↵'], 'open'],
  [['Esc'], 'close'],
  [['F'], 'filters'],
  [['T'], 'time'],
  [['U'], 'unplaced'],
  [['N'], 'file'],
  [['+', '−'], 'zoom'],
  [['?'], 'help'],
] as const

/** The keys of the page. A field keeps its letters; Escape first belongs to what is open over the page. */
export function useKeys(act: KeyActions): void {
  function pressed(e: KeyboardEvent) {
    const key = commandOf(e)
    if (key === null) return
    if (key === 'escape') return act.escape()
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
    if (key === 'enter') {
      // A focused button or link keeps its Enter.
      if (e.target instanceof HTMLElement && e.target.closest('button, a, [role="slider"], summary')) return
      if (act.open()) e.preventDefault()
      return
    }
    const action = run[key]
    if (!action) return
    e.preventDefault()
    action()
  }
  onMounted(() => document.addEventListener('keydown', pressed))
  onBeforeUnmount(() => document.removeEventListener('keydown', pressed))
}
