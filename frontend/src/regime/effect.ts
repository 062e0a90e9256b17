import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { ApiError, ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { components } from '../shared/api/schema'
import { tidyDay } from '../shared/time/day'
import type { Doc } from './document'

type Schemas = components['schemas']
export type Effect = Schemas['RegimeEffect']
export type EffectWay = Schemas['RegimeEffectWay']
export type EffectCase = Schemas['RegimeEffectCase']
type Line = Schemas['RegimeEffectLine']

/** Reads lines of JSON as they come, the last one also without an end. */
export async function* jsonLines<T>(stream: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      rest += decoder.decode(value, { stream: !done })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim()) yield JSON.parse(line) as T
      if (done) break
    }
    if (rest.trim()) yield JSON.parse(rest) as T
  } finally {
    reader.releaseLock()
  }
}

/** Of which months the cases were opened that are asked of; `other` has its own days. */
export const spans = ['1', '3', '6', '13', 'other'] as const
export type Span = (typeof spans)[number]

/** The day so many months before: a shorter month ends sooner. */
export function monthsBefore(day: string, months: number): string {
  const [y, m, d] = day.split('-').map(Number) as [number, number, number]
  const first = new Date(Date.UTC(y, m - 1 - months, 1))
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
  first.setUTCDate(Math.min(d, last))
  return first.toISOString().slice(0, 10)
}

/** What a version would do, compared with the one in force: counted by the service while it tells how far it has come. */
// biome-ignore lint/suspicious/noExplicitAny: what a version says does not matter here.
export function useEffectOf(doc: Doc<any>) {
  const { session, today } = doc.admin
  const open = ref(false)
  const span = ref<Span>('1')
  const from = ref('')
  const to = ref('')
  /** What is asked: a version as it was saved, and the span; null where there is nothing to compare. */
  const version = computed(() => {
    if (!doc.edits.value) return null
    const id = doc.older.value ?? (doc.dirty.value ? undefined : doc.draft.value?.id)
    const v = id === undefined ? undefined : doc.stateOf(id)
    return v && v.state !== 'in_force' ? { id: v.id, edits: v.edits } : null
  })
  const days = computed<{ from?: string; to?: string } | null>(() => {
    if (doc.kind !== 'rules' || span.value === '1') return {}
    if (span.value !== 'other') return { from: monthsBefore(today.value, Number(span.value)) }
    const [a, b] = [tidyDay(from.value), tidyDay(to.value)]
    return a && b && a < b ? { from: a, to: b } : null
  })
  const question = computed(() => (version.value && days.value ? { ...version.value, ...days.value } : null))
  const key = computed(() => JSON.stringify(question.value))

  const busy = ref(false)
  const done = ref(0)
  const total = ref(0)
  const effect = shallowRef<Effect>()
  const error = shallowRef<ApiError>()
  /** The question that the effect answers. */
  const answered = ref('')
  const stale = computed(() => effect.value !== undefined && answered.value !== key.value)
  let under: AbortController | undefined

  function cancel() {
    under?.abort()
    under = undefined
    busy.value = false
  }
  async function run() {
    const q = question.value
    if (!q) return
    cancel()
    const mine = new AbortController()
    under = mine
    const of = key.value
    busy.value = true
    error.value = undefined
    done.value = 0
    total.value = 0
    try {
      const query = { ...(q.from ? { from: q.from } : {}), ...(q.to ? { to: q.to } : {}) }
      const stream = await ask(
        session.client.GET('/regime/{kind}/{id}/effect', {
          params: { path: { kind: doc.kind, id: q.id }, query },
          parseAs: 'stream',
          signal: mine.signal,
        }),
      )
      let last: Effect | undefined
      for await (const line of jsonLines<Line>(stream as unknown as ReadableStream<Uint8Array>)) {
        if (mine.signal.aborted) return
        done.value = line.done ?? done.value
        total.value = line.total ?? total.value
        last = line.effect ?? last
      }
      if (mine.signal.aborted) return
      if (!last) throw new ApiError(0, {})
      effect.value = last
      answered.value = of
    } catch (e) {
      if (!mine.signal.aborted) error.value = e instanceof ApiError ? e : new ApiError(0, {})
    } finally {
      if (under === mine) {
        under = undefined
        busy.value = false
      }
    }
  }
  /** Counts where nothing was counted yet of what is asked. */
  const need = () => {
    if (question.value && !busy.value && (answered.value !== key.value || !effect.value)) void run()
  }
  // Another question ends the count of the one before; an open panel asks anew.
  watch(key, () => {
    cancel()
    error.value = undefined
    if (open.value) need()
  })
  watch(version, v => {
    if (!v) open.value = false
  })
  onScopeDispose(cancel)

  // The list, by pages: it stays to what the counts are of.
  const way = ref<string | null>(null)
  const more = shallowRef<EffectCase[]>([])
  const next = ref<string>()
  const listed = computed(() => (open.value && effect.value && !stale.value && question.value ? question.value : null))
  const pageOf = async (after: string | undefined, signal?: AbortSignal) => {
    const q = question.value!
    return ask(
      session.client.GET('/regime/{kind}/{id}/effect/cases', {
        params: {
          path: { kind: doc.kind, id: q.id },
          query: {
            limit: 50,
            ...(q.from ? { from: q.from } : {}),
            ...(q.to ? { to: q.to } : {}),
            ...(way.value ? { way: way.value } : {}),
            ...(after ? { after } : {}),
          },
        },
        signal,
      }),
    )
  }
  const list = useResource(
    () => (listed.value && (effect.value?.ways.length ?? 0) > 0 ? { ...listed.value, way: way.value } : null),
    async (_, signal) => {
      const page = await pageOf(undefined, signal)
      more.value = []
      next.value = page.next
      return page.cases
    },
  )
  const moreBusy = ref(false)
  async function readMore() {
    if (!next.value || moreBusy.value) return
    moreBusy.value = true
    const of = `${key.value}${way.value}`
    try {
      const page = await pageOf(next.value)
      if (of !== `${key.value}${way.value}`) return
      more.value = [...more.value, ...page.cases]
      next.value = page.next
    } catch (e) {
      error.value = e instanceof ApiError ? e : new ApiError(0, {})
    } finally {
      moreBusy.value = false
    }
  }
  watch(key, () => {
    way.value = null
  })
  const csv = computed(() => {
    const q = question.value
    if (!q) return ''
    const query = new URLSearchParams({ lang: doc.admin.locale.value })
    if (q.from) query.set('from', q.from)
    if (q.to) query.set('to', q.to)
    return `/${session.code}/v1/regime/${doc.kind}/${q.id}/effect.csv?${query}`
  })

  return {
    open,
    span,
    from,
    to,
    version,
    question,
    busy,
    done,
    total,
    effect,
    error,
    stale,
    run,
    need,
    cancel,
    way,
    list,
    cases: computed(() => [...(list.data.value ?? []), ...more.value]),
    next,
    readMore,
    moreBusy,
    csv,
  }
}

export type EffectOf = ReturnType<typeof useEffectOf>

/** What an effect comes to, as a key of words with its numbers. */
export function summary(e: Effect): { key: string; values: Record<string, number>; n: number }[] {
  const out: { key: string; values: Record<string, number>; n: number }[] = []
  const say = (key: string, n: number, values: Record<string, number>) => out.push({ key, n, values })
  if (e.kind === 'rules') {
    say(e.moved > 0 ? 'rules' : 'rulesNone', e.moved, { moved: e.moved, looked: e.looked })
    if (e.aside > 0) say('aside', e.aside, { n: e.aside })
    say(e.redecided > 0 ? 'redecided' : 'redecidedNone', e.redecided, { n: e.redecided, open: e.open })
    return out
  }
  if (e.kind === 'catalogue') {
    if (e.differ === 0) say('listSame', e.looked, { looked: e.looked })
    else {
      say('list', e.differ, { differ: e.differ, looked: e.looked })
      say('listTaken', e.clocks_moved, { clocks: e.clocks_moved, earlier: e.earlier, later: e.later })
      if (e.kept > 0) say('kept', e.kept, { n: e.kept })
    }
    return out
  }
  if (e.clocks_moved === 0) say('calendarNone', e.looked, { looked: e.looked })
  else
    say('calendar', e.moved, {
      moved: e.moved,
      looked: e.looked,
      clocks: e.clocks_moved,
      earlier: e.earlier,
      later: e.later,
    })
  return out
}
