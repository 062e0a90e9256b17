import type { Ref } from 'vue'
import { plain } from './keys'

/** The keys of a field with a list of what was found below it: arrows open it and go through it, Enter takes the one they are at. */
export const listKeys = <T>(
  list: { found: () => readonly T[]; at: Ref<number>; open: Ref<boolean> },
  choose: (one: T) => void,
) =>
  plain((e: KeyboardEvent) => {
    const { at, open } = list
    const found = list.found()
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault()
      const n = found.length
      if (open.value && n > 0) at.value = (at.value + (e.key === 'ArrowDown' ? 1 : n - 1)) % n
      open.value = true
    } else if (e.key === 'Enter') {
      e.preventDefault() // the form around it is not sent
      const one = found[at.value]
      if (open.value && one !== undefined) choose(one)
    }
  })
