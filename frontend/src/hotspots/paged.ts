import { computed, type Ref, ref, shallowRef, watch } from 'vue'
import { type Resource, useResource } from '../shared/api/resource'

const each = 50
/** As many as the service gives at once. */
const most = 200

export interface Page<T> {
  rows: T[]
  next?: number | undefined
}

type Readable<V> = Readonly<Ref<V>>
export interface Paged<T> {
  rows: Readable<T[]>
  /** It came at least once. */
  loaded: Readable<boolean>
  loading: Readable<boolean>
  error: Resource<T>['error']
  hasMore: Readable<boolean>
  loadingMore: Readable<boolean>
  moreFailed: Readable<boolean>
  more: () => Promise<void>
  reload: () => void
  drop: () => void
}

/**
 * A list that comes page after page. Asked for anew it comes as long as it was, up to what is given at once; the old rows stay
 * until the new ones are there.
 */
export function usePaged<Q, T extends { id: number }>(
  question: () => Q | null,
  load: (q: Q, page: { limit: number; before?: number }, signal?: AbortSignal) => Promise<Page<T>>,
): Paged<T> {
  const rest = shallowRef<Page<T> | null>(null)
  const loadingMore = ref(false)
  const moreFailed = ref(false)
  let asked: string | undefined
  const first: Resource<Page<T>> = useResource(question, (q, signal) => {
    const same = JSON.stringify(q) === asked
    asked = JSON.stringify(q)
    return load(q, { limit: same ? Math.min(most, Math.max(each, rows.value.length)) : each }, signal)
  })
  watch(first.data, () => {
    rest.value = null
    moreFailed.value = false
  })
  const rows = computed<T[]>(() => {
    const [begin, more] = [first.data.value?.rows ?? [], rest.value?.rows ?? []]
    const there = new Set(begin.map(r => r.id))
    return [...begin, ...more.filter(r => !there.has(r.id))]
  })
  const next = computed(() => (rest.value ?? first.data.value)?.next)

  async function more(): Promise<void> {
    const q = question()
    const [of, before] = [first.data.value, next.value]
    if (q === null || before === undefined || loadingMore.value || first.loading.value) return
    loadingMore.value = true
    try {
      const page = await load(q, { limit: each, before })
      if (of !== first.data.value) return // the list began anew meanwhile
      rest.value = { rows: [...(rest.value?.rows ?? []), ...page.rows], next: page.next }
      moreFailed.value = false
    } catch {
      moreFailed.value = true
    } finally {
      loadingMore.value = false
    }
  }

  return {
    rows,
    loaded: computed(() => first.data.value !== undefined),
    loading: first.loading,
    error: first.error,
    hasMore: computed(() => next.value !== undefined),
    loadingMore,
    moreFailed,
    more,
    reload: first.reload,
    drop: first.drop,
  }
}
