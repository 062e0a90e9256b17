import { v4 } from 'uuid'
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { ApiError, ask } from '../shared/api/client'
import type { Batch, CaseRow } from '../shared/api/types'
import type { Queue } from './queue'

type Act = Batch['acts'][number]

/** Acts on many cases: those that wait and may be cancelled, and what has become of them. */
export function useBatches(queue: Queue) {
  const batches = shallowRef<readonly Batch[]>([])
  /** When each that waits begins, by this machine's clock. */
  const begins = new Map<string, number>()
  const hidden = ref<ReadonlySet<string>>(new Set())
  const problem = shallowRef<ApiError>()
  const seenAt = Date.now()
  const now = ref(Date.now())
  let asking = false

  function take(list: readonly Batch[]) {
    for (const b of list) if (b.state === 'waiting') begins.set(b.id, Date.now() + b.starts_in_s * 1000)
    for (const b of list) {
      const before = batches.value.find(o => o.id === b.id)
      if (b.state === 'done' && before && before.state !== 'done')
        for (const c of b.cases) queue.changed(Number(c.case.split('-')[0]))
    }
    batches.value = list
  }
  async function load(): Promise<void> {
    if (asking) return
    asking = true
    try {
      take((await ask(queue.client.GET('/batches'))).batches)
    } catch (e) {
      if (!(e instanceof ApiError)) throw e // what is there stays; the next second asks again
    } finally {
      asking = false
    }
  }
  const clock = setInterval(() => {
    now.value = Date.now()
    const under = batches.value.some(
      b => b.state === 'running' || (b.state === 'waiting' && (begins.get(b.id) ?? 0) <= now.value),
    )
    if (under) void load()
  }, 500)
  onScopeDispose(() => clearInterval(clock))
  void load()

  const waiting = computed(() => batches.value.filter(b => b.state === 'waiting' || b.state === 'running'))
  /** What ended since the page is open, until it is put away. */
  const ended = computed(() =>
    batches.value.filter(
      b =>
        b.state !== 'waiting' &&
        b.state !== 'running' &&
        !hidden.value.has(b.id) &&
        Date.parse(b.made_at) > seenAt - 5000,
    ),
  )

  async function make(
    acts: Act[],
    rows: readonly CaseRow[],
    more: { reason?: string; unit?: number },
  ): Promise<boolean> {
    problem.value = undefined
    try {
      const body = { id: v4(), acts, cases: rows.map(r => ({ case: r.ref, version: r.version })), ...more }
      const made = await ask(queue.client.POST('/batches', { body: body as never }))
      for (const r of rows) queue.own.set(r.ref, r.version)
      take([made, ...batches.value.filter(b => b.id !== made.id)])
      return true
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      problem.value = e
      return false
    }
  }
  async function cancel(id?: string): Promise<void> {
    const one = batches.value.find(b => b.state === 'waiting' && (id === undefined || b.id === id))
    if (!one) return
    problem.value = undefined
    try {
      const got = await ask(queue.client.DELETE('/batches/{id}', { params: { path: { id: one.id } } }))
      for (const c of got.cases) queue.own.delete(c.case)
      take(batches.value.map(b => (b.id === got.id ? got : b)))
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      problem.value = e
      void load()
    }
  }
  return {
    waiting,
    ended,
    problem,
    make,
    cancel,
    left: (b: Batch) => Math.max(0, Math.ceil(((begins.get(b.id) ?? 0) - now.value) / 1000)),
    hide: (id: string) => {
      hidden.value = new Set([...hidden.value, id])
    },
    load,
  }
}
export type Batches = ReturnType<typeof useBatches>
