import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { ApiError, ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { CaseRow } from '../shared/api/types'
import { Coalescer } from '../shared/map/coalesce'
import type { Room } from './room'

/** How many rows are read again at the most. */
const mostAgain = 500

/** A queue of cases, what is due first at its top: page after page, and read anew when a case was changed. */
export function useQueue(room: Room, question: () => { state: string; mine?: 'true' } | null) {
  const rows = shallowRef<CaseRow[]>([])
  const next = ref<string>()
  const loadingMore = ref(false)
  const moreFailed = ref(false)
  const page = (query: object, signal?: AbortSignal) =>
    ask(room.client.GET('/cases', { params: { query: { ...query, limit: 50 } }, signal }))

  /** Of which question the rows are. */
  let asked = ''
  const first = useResource(question, async (q, signal) => {
    const answer = await page(q, signal)
    // Whoever has loaded more keeps it: the list does not jump back under the thumb.
    const want = JSON.stringify(q) === asked ? Math.min(rows.value.length, mostAgain) : 0
    while (answer.cases.length < want && answer.next) {
      const after = await page({ ...q, after: answer.next }, signal)
      answer.cases.push(...after.cases)
      answer.next = after.next
    }
    asked = JSON.stringify(q)
    return answer
  })
  watch(first.data, answer => {
    rows.value = answer?.cases ?? []
    next.value = answer?.next
    moreFailed.value = false
  })
  watch(room.renewed, () => first.reload())
  // Many changes at once are one.
  const soon = new Coalescer<null>(300, () => first.reload())
  watch(room.caseChanged, () => soon.add(null))
  onScopeDispose(() => soon.stop())

  async function more(): Promise<void> {
    const q = question()
    if (!q || !next.value || loadingMore.value) return
    const [mine, after] = [first.data.value, next.value]
    loadingMore.value = true
    moreFailed.value = false
    try {
      const answer = await page({ ...q, after })
      if (mine !== first.data.value) return
      const known = new Set(rows.value.map(r => r.ref))
      rows.value = [...rows.value, ...answer.cases.filter(r => !known.has(r.ref))]
      next.value = answer.next
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      moreFailed.value = true
    } finally {
      loadingMore.value = false
    }
  }
  return { rows, next, loadingMore, moreFailed, more, first }
}
