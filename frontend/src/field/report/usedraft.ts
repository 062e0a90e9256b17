import { onScopeDispose, ref, toRaw, watch } from 'vue'
import type { Store } from '../outbox/store'

/**
 * Keeps what is being written on the phone: a moment after each change, and at once when one leaves. `worth` tells whether there is
 * anything of it to keep; `load` brings back what was kept before.
 */
export function useDraft<T extends { id: string }>(store: Store, draft: T, worth: (d: T) => boolean) {
  const loaded = ref(false)
  let pending: ReturnType<typeof setTimeout> | undefined
  let ended = false
  /** One after the other: a draft that is written last must not come back once what it was for is kept. */
  let writing: Promise<unknown> = Promise.resolve()

  function keep(): Promise<unknown> {
    clearTimeout(pending)
    pending = undefined
    writing = writing
      .then(() => (ended || !worth(draft) ? null : store.putDraft(draft.id, structuredClone(toRaw(draft)))))
      .catch(() => {}) // told when it is to be kept for good
    return writing
  }
  watch(draft, () => {
    if (!loaded.value || ended) return
    clearTimeout(pending)
    pending = setTimeout(() => void keep(), 150)
  })
  const hidden = () => {
    if (document.visibilityState === 'hidden') void keep()
  }
  document.addEventListener('visibilitychange', hidden)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', hidden)
    if (pending) void keep()
  })

  return {
    loaded,
    keep,
    async load(id: string | null): Promise<boolean> {
      const found = id === null ? undefined : (await store.drafts<T>()).find(d => d.id === id)
      if (found) Object.assign(draft, found.value)
      loaded.value = true
      return found !== undefined
    },
    /** It becomes something else, and is written no more. */
    async end(): Promise<void> {
      clearTimeout(pending)
      pending = undefined
      ended = true
      await writing
    },
    /** It goes on after all, or another begins. */
    goOn(): void {
      ended = false
    },
  }
}
