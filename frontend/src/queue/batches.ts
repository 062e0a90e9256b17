import { v4 } from 'uuid'
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { ApiError, ask } from '../shared/api/client'
import type { Batch, CaseRow } from '../shared/api/types'
import type { Queue } from './queue'

type Act = Batch['acts'][number]
/** Cases that take the same acts on their way. */
export interface Group {
  acts: Act[]
  rows: readonly CaseRow[]
  reason?: string
  unit?: number
}
/** Makes batches of groups; `busy`: those asked for before are not made yet. */
export type Run = (groups: readonly Group[]) => Promise<'made' | 'busy' | ApiError>

/** Acts on many cases: those that wait and may be cancelled, and what has become of them. */
export function useBatches(queue: Pick<Queue, 'client' | 'own' | 'changed'>) {
  const batches = shallowRef<readonly Batch[]>([])
  /** When each that waits begins, by this machine's clock. */
  const begins = new Map<string, number>()
  /** Which were made by one act of who is here. */
  const runs = new Map<string, number>()
  const hidden = ref<ReadonlySet<string>>(new Set())
  const seenAt = Date.now()
  const now = ref(Date.now())
  let [asking, making, begun] = [false, false, 0]

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

  /** One act on many that may take several batches. Asked again after a fault, what was made before is not made once more. */
  function begin(): Run {
    const run = ++begun
    const made = new Set<string>()
    /** Under which id each is sent: of one whose answer was lost nobody knows whether it was made. */
    const ids = new Map<string, string>()
    return async groups => {
      if (making) return 'busy'
      making = true
      try {
        for (const { rows, ...more } of groups) {
          const left = rows.filter(r => !made.has(r.ref))
          if (left.length === 0) continue
          const body = { ...more, cases: left.map(r => ({ case: r.ref, version: r.version })) }
          const key = JSON.stringify(body)
          const id = ids.get(key) ?? v4()
          ids.set(key, id)
          const got = await ask(queue.client.POST('/batches', { body: { id, ...body } as never }))
          runs.set(got.id, run)
          for (const r of left) {
            made.add(r.ref)
            queue.own.set(r.ref, r.version)
          }
          take([got, ...batches.value.filter(b => b.id !== got.id)])
        }
        return 'made'
      } catch (e) {
        if (!(e instanceof ApiError)) throw e
        return e
      } finally {
        making = false
      }
    }
  }

  /** Cancels one; without an id all that the last act of who is here made. Gives what went wrong. */
  async function cancel(id?: string): Promise<ApiError | undefined> {
    let fault: ApiError | undefined
    for (const b of id === undefined ? mineLast() : batches.value.filter(o => o.id === id)) {
      try {
        const got = await ask(queue.client.DELETE('/batches/{id}', { params: { path: { id: b.id } } }))
        for (const c of got.cases) queue.own.delete(c.case)
        take(batches.value.map(o => (o.id === got.id ? got : o)))
      } catch (e) {
        if (!(e instanceof ApiError)) throw e
        fault ??= e
      }
    }
    if (fault) void load()
    return fault
  }
  function mineLast(): readonly Batch[] {
    const mine = batches.value.filter(b => b.state === 'waiting' && b.by.me)
    const run = mine[0] && runs.get(mine[0].id)
    return mine.filter((b, i) => i === 0 || (run !== undefined && runs.get(b.id) === run))
  }

  return {
    waiting,
    ended,
    begin,
    cancel,
    left: (b: Batch) => Math.max(0, Math.ceil(((begins.get(b.id) ?? 0) - now.value) / 1000)),
    hide: (id: string) => {
      hidden.value = new Set([...hidden.value, id])
    },
    load,
  }
}
export type Batches = ReturnType<typeof useBatches>
