import { ref } from 'vue'

/** One line about what was just done, and how to take it back. */
export interface Notice {
  text: string
  undo?: () => Promise<void> | void
}

const shown = ref<Notice | null>(null)
let timer: ReturnType<typeof setTimeout> | undefined

/** The latest notice of these pages; one replaces the other. It stays longer where it can be undone. */
export function useNotices() {
  function hide() {
    clearTimeout(timer)
    shown.value = null
  }
  function say(text: string, undo?: Notice['undo']) {
    clearTimeout(timer)
    shown.value = { text, undo }
    timer = setTimeout(hide, undo ? 20_000 : 6_000)
  }
  return { shown, say, hide }
}
