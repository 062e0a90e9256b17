import { onScopeDispose, type Ref, ref, shallowRef, watch } from 'vue'
import { ApiError } from './client'

/**
 * What a pane shows: the last content that arrived, whether newer is under way, and why it did not come. While something
 * loads or after it failed the old content stays; `stale` then says that it no longer answers the present question.
 */
export interface Resource<T> {
  data: Readonly<Ref<T | undefined>>
  loading: Readonly<Ref<boolean>>
  error: Readonly<Ref<ApiError | undefined>>
  stale: Readonly<Ref<boolean>>
  reload: () => void
  /** Forgets what there is and asks anew: the reader may no longer be allowed to see it. */
  drop: () => void
}

/**
 * Loads whenever the question changes; null means that there is none. A newer question aborts the older one's request, so
 * answers never arrive out of order.
 */
export function useResource<Q, T>(
  question: () => Q | null,
  load: (question: Q, signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const data = shallowRef<T>()
  const loading = ref(false)
  const error = shallowRef<ApiError>()
  const stale = ref(false)
  let under: AbortController | undefined

  async function run(q: Q | null) {
    under?.abort()
    if (q === null) {
      data.value = undefined
      loading.value = false
      error.value = undefined
      stale.value = false
      return
    }
    const mine = new AbortController()
    under = mine
    loading.value = true
    stale.value = data.value !== undefined
    try {
      const answer = await load(q, mine.signal)
      if (mine.signal.aborted) return
      data.value = answer
      error.value = undefined
      stale.value = false
    } catch (e) {
      if (mine.signal.aborted) return
      if (!(e instanceof ApiError)) throw e
      error.value = e
      // What is gone, or may no longer be seen, is not kept on the screen.
      if ([401, 403, 404].includes(e.status)) data.value = undefined
    } finally {
      if (under === mine) loading.value = false
    }
  }

  let key: string | undefined
  watch(
    () => {
      const q = question()
      return { q, key: JSON.stringify(q) }
    },
    next => {
      if (next.key === key) return
      key = next.key
      run(next.q)
    },
    { immediate: true },
  )
  onScopeDispose(() => under?.abort())
  const reload = () => void run(question())
  function drop() {
    data.value = undefined
    error.value = undefined
    reload()
  }

  return { data, loading, error, stale, reload, drop }
}
