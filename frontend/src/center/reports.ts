import { computed, type Ref, ref, shallowRef, watch } from 'vue'
import { ask, type CityClient } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { Report } from '../shared/api/types'
import { type Filters, filterParams } from './view'

export interface ListQuestion {
  filters: Filters
  /** west,south,east,north; null for the whole city. */
  bbox: string | null
  unplaced: boolean
}

const pageSize = 100

/** The list of reports, the newest first: page after page as it is scrolled, with what comes in live put at its place. */
export function useReports(client: CityClient, question: () => ListQuestion | null) {
  const rows = shallowRef<Report[]>([])
  const next = ref<string>()
  const loadingMore = ref(false)
  const moreFailed = ref(false)
  let generation = 0

  const page = (q: ListQuestion, after: string | undefined, signal?: AbortSignal) =>
    ask(
      client.GET('/reports', {
        params: {
          query: {
            ...filterParams(q.filters),
            ...(q.filters.words ? { q: q.filters.words } : {}),
            ...(q.bbox && !q.unplaced ? { bbox: q.bbox } : {}),
            ...(q.unplaced ? { method: 'unplaced' } : {}),
            limit: pageSize,
            ...(after ? { after } : {}),
          },
        },
        signal,
      }),
    )

  const first = useResource(question, (q, signal) => page(q, undefined, signal))
  watch(first.data, answer => {
    generation++
    rows.value = answer?.reports ?? []
    next.value = answer?.next
    moreFailed.value = false
  })

  async function more(): Promise<void> {
    const q = question()
    if (!q || !next.value || loadingMore.value || first.loading.value) return
    const mine = generation
    loadingMore.value = true
    try {
      const answer = await page(q, next.value)
      if (mine !== generation) return
      const known = new Set(rows.value.map(r => r.num))
      rows.value = [...rows.value, ...answer.reports.filter(r => !known.has(r.num))]
      next.value = answer.next
      moreFailed.value = false
    } catch {
      moreFailed.value = true
    } finally {
      loadingMore.value = false
    }
  }

  /** Puts reports at their place, newest first; one that is there is replaced, one beyond the last page is left to it. */
  function insert(reports: readonly Report[]): void {
    rows.value = merged(rows.value, reports, next.value !== undefined)
  }

  function remove(num: number): void {
    rows.value = rows.value.filter(r => r.num !== num)
  }

  return {
    rows: rows as Readonly<Ref<Report[]>>,
    loading: first.loading,
    error: first.error,
    stale: first.stale,
    loaded: computed(() => first.data.value !== undefined),
    reload: first.reload,
    drop: first.drop,
    hasMore: computed(() => next.value !== undefined),
    loadingMore,
    moreFailed,
    more,
    insert,
    remove,
  }
}

/** rows and reports together, newest first and by number where times are equal; `open` when more pages follow rows. */
export function merged(rows: readonly Report[], reports: readonly Report[], open: boolean): Report[] {
  const byNum = new Map(rows.map(r => [r.num, r]))
  const last = rows.at(-1)
  for (const r of reports) {
    if (open && last && !byNum.has(r.num) && order(r, last) > 0) continue
    byNum.set(r.num, r)
  }
  return [...byNum.values()].sort(order)
}

function order(a: Report, b: Report): number {
  return Date.parse(b.captured_at) - Date.parse(a.captured_at) || b.num - a.num
}
