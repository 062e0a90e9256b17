import { v4 } from 'uuid'
import { computed, type InjectionKey, inject, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute, useRouter } from 'vue-router'
import type { Center } from '../center/center'
import { ApiError, ask } from '../shared/api/client'
import { ofOthers } from '../shared/api/live'
import { useResource } from '../shared/api/resource'
import type { CaseRow, NewAct } from '../shared/api/types'
import { serverWords } from '../shared/api/words'
import { Coalescer } from '../shared/map/coalesce'
import { usePrefs } from '../shared/prefs'
import { useFeed } from '../shared/session/feed'
import { asked as askedBy, byNumber, type Filter, formatPlace, type Place, parsePlace } from './filter'
import { useLooks } from './looks'
import { brought, nextRow, order } from './rows'

const pageSize = 100
/** More changed cases than this at once are not looked at one by one. */
const oneByOne = 200
/** A look that takes longer is given up, and all of it is asked for. */
const lookMs = 15_000
/** Seconds for which a row that another changed stands out. */
const freshFor = 6
/** Rows that stay loaded when everything is asked for anew. */
const mostAgain = 1000

/** What the parts of the queue's page share. Made by QueuePage and handed down. */
export type Queue = ReturnType<typeof createQueue>
const key: InjectionKey<Queue> = Symbol('queue')
export const queueKey = key
export function useQueue(): Queue {
  const queue = inject(key)
  if (!queue) throw new Error('the queue is provided by QueuePage')
  return queue
}

export function createQueue(center: Center) {
  const { t } = useI18n()
  const route = useRoute()
  const router = useRouter()
  const { locale } = usePrefs()
  const { client, session } = center

  // The view is the address: a filter is a step of the history, what is open replaces it.
  const place = shallowRef<Place>(parsePlace(route.query))
  function go(part: Partial<Place>, step = false) {
    const next = { ...place.value, ...part }
    if (JSON.stringify(next) === JSON.stringify(place.value)) return
    place.value = next
    void router[step ? 'push' : 'replace']({ query: formatPlace(next) })
  }
  watch(
    () => route.query,
    query => {
      if (route.name === 'queue') place.value = parsePlace(query)
    },
  )
  const filter = computed(() => place.value.filter)
  const setFilter = (part: Partial<Filter>) => go({ filter: { ...filter.value, ...part } }, true)

  /** Seconds by this machine's clock: what remains is told without asking the service. */
  const now = ref(Date.now() / 1000)
  const tick = setInterval(() => {
    now.value = Date.now() / 1000
  }, 1000)
  onScopeDispose(() => clearInterval(tick))

  const rows = shallowRef<CaseRow[]>([])
  // Where the keys stand, and what is selected for an act on many.
  const lit = ref<string | null>(null)
  const chosen = ref<ReadonlySet<string>>(new Set())
  const standing = () => rows.value.findIndex(r => r.ref === lit.value)
  /** The next one takes the place of what left under the keys, and what left is selected no more. */
  function stayAt(was: number) {
    if (was >= 0 && standing() < 0) lit.value = rows.value[Math.min(was, rows.value.length - 1)]?.ref ?? null
    const there = new Set(rows.value.map(r => r.ref))
    if ([...chosen.value].some(r => !there.has(r))) chosen.value = new Set([...chosen.value].filter(r => there.has(r)))
  }
  const total = ref<number | null>(null)
  const next = ref<string>()
  const loadingMore = ref(false)
  const moreFailed = ref(false)
  let generation = 0
  const compare = computed(() => order(filter.value))
  const question = () => askedBy(place.value)
  type Question = ReturnType<typeof question>
  const page = (q: Question, more: { after?: string; limit?: number; count?: 'true' }, signal?: AbortSignal) =>
    ask(client.GET('/cases', { params: { query: { ...q, limit: pageSize, ...more } }, signal }))

  /** What the rows that are there answer. */
  let asked = ''
  const first = useResource(question, async (q, signal) => {
    // Whoever has scrolled down keeps what is loaded: a full page more for each that there was.
    const want = JSON.stringify(q) === asked ? Math.min(rows.value.length, mostAgain) : 0
    const answer = await page(q, { count: 'true', ...(want > pageSize ? { limit: 200 } : {}) }, signal)
    while (answer.cases.length < want && answer.next) {
      const more = await page(q, { after: answer.next, limit: 200 }, signal)
      answer.cases.push(...more.cases)
      answer.next = more.next
    }
    asked = JSON.stringify(q)
    return answer
  })
  /** The question that the rows which show answer. */
  let shown = ''
  watch(first.data, answer => {
    generation++
    const was = shown === asked ? standing() : -1
    shown = asked
    rows.value = answer?.cases ?? []
    stayAt(was)
    total.value = answer?.total ?? null
    next.value = answer?.next
    moreFailed.value = false
  })
  async function more(): Promise<void> {
    if (!next.value || loadingMore.value || first.loading.value) return
    const mine = generation
    loadingMore.value = true
    try {
      const answer = await page(question(), { after: next.value })
      if (mine !== generation) return
      const known = new Set(rows.value.map(r => r.ref))
      rows.value = [...rows.value, ...answer.cases.filter(r => !known.has(r.ref))]
      next.value = answer.next
      moreFailed.value = false
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      moreFailed.value = true
    } finally {
      loadingMore.value = false
    }
  }

  const litRow = computed(() => rows.value.find(r => r.ref === lit.value) ?? null)
  const chosenRows = computed(() => rows.value.filter(r => chosen.value.has(r.ref)))
  let anchor: string | null = null
  /** Which row was lit last: the keys go on from there when what is open is not among the rows. */
  let stood = -1
  function light(ref: string, reach = false) {
    const from = lit.value
    lit.value = ref
    if (reach) choose(ref, true, from)
    if (place.value.open !== null) open(ref)
  }
  function move(step: number, reach = false) {
    const list = rows.value
    if (list.length === 0) return
    const at = list.findIndex(r => r.ref === lit.value)
    stood = nextRow(list.length, at, stood, step)
    light(list[stood]!.ref, reach)
  }
  /** Selects or leaves a row; with `reach` all from the one before to it. */
  function choose(ref: string, reach = false, from: string | null = anchor) {
    const list = rows.value
    const set = new Set(chosen.value)
    const [a, b] = [list.findIndex(r => r.ref === (from ?? ref)), list.findIndex(r => r.ref === ref)]
    if (reach && a >= 0 && b >= 0) for (const r of list.slice(Math.min(a, b), Math.max(a, b) + 1)) set.add(r.ref)
    else if (!set.delete(ref)) set.add(ref)
    anchor = ref
    chosen.value = set
  }
  const chooseNone = () => {
    chosen.value = new Set()
  }
  /** Opens a case, among the rows or not, and has the keys act on it. */
  function open(ref: string | null) {
    if (ref !== null) stand(ref)
    go({ open: ref })
  }
  function stand(ref: string) {
    const at = rows.value.findIndex(r => r.ref === lit.value)
    if (at >= 0) stood = at
    lit.value = ref
  }
  // Whoever goes back or forward acts on what shows, too.
  watch(
    () => place.value.open,
    ref => {
      if (ref !== null && ref !== lit.value) stand(ref)
    },
    { immediate: true },
  )

  // What changed is looked at by number; what did not stays as it is.
  /** Cases that this page has acted on: that they changed is no news. */
  const own = new Map<string, number>()
  /** When rows were changed by another, in seconds by this machine's clock. */
  const marks = shallowRef<ReadonlyMap<string, number>>(new Map())
  /** Rows that another changed a moment ago. */
  const fresh = computed(() => new Set([...marks.value].filter(([, at]) => now.value - at < freshFor).map(([r]) => r)))
  function mark(changed: readonly CaseRow[]) {
    const at = Date.now() / 1000
    const still = [...marks.value].filter(([, then]) => at - then < freshFor)
    marks.value = new Map([...still, ...changed.map(r => [r.ref, at] as const)])
  }
  const states = new Map<string, string>()
  const looks = useLooks(first.loading, look, first.reload)
  const changes = new Coalescer<number>(334, nums => looks.add(nums))
  const again = new Coalescer<void>(1000, looks.again)
  /** Grows when the counts of the views may be other ones. */
  const counted = ref(0)
  const counts = new Coalescer<void>(2000, () => counted.value++)

  async function look(nums: number[]): Promise<void> {
    if (nums.length > oneByOne) return again.add(undefined)
    const mine = generation
    try {
      const signal = AbortSignal.timeout(lookMs)
      const answer = await page(byNumber(place.value), { limit: 200, num: nums.join(',') } as object, signal)
      // All of it came meanwhile, and may be older or newer.
      if (mine !== generation) return changes.add(...nums)
      const was = standing()
      const got = brought(rows.value, new Set(nums), answer.cases, compare.value, next.value !== undefined)
      rows.value = got.rows
      if (total.value !== null) total.value += got.come.length - got.gone.length
      const others = [...got.changed, ...got.gone].filter(r => {
        const mark = own.get(r.ref)
        own.delete(r.ref)
        return mark === undefined
      })
      if (others.length > 0) {
        mark(others)
        const left = others.filter(r => got.gone.includes(r))
        const about = others.find(r => r.ref === lit.value || r.ref === place.value.open || chosen.value.has(r.ref))
        const told = about ?? others[0]!
        const state = left.includes(told) ? states.get(told.ref) : told.state
        const words = !left.includes(told) ? 'queue.told.changed' : state ? 'queue.told.left' : 'queue.told.gone'
        const text = t(words, { ref: told.ref, state: state ? t(`matter.state.${state}`) : '' })
        if (about) center.notify(text)
        center.say(text)
      }
      stayAt(was)
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      again.add(undefined) // it is tried again with all of it, and what fails is said there
    }
  }

  /** Does something with a case as it is shown, and says so by the name; throws an ApiError. */
  async function act(
    one: Pick<CaseRow, 'ref' | 'num' | 'version'>,
    name: string,
    what: Omit<NewAct, 'key' | 'version'>,
  ) {
    own.set(one.ref, one.version)
    try {
      const params = { path: { case: one.ref } }
      await ask(client.POST('/cases/{case}/acts', { params, body: { ...what, version: one.version, key: v4() } }))
      center.say(t('queue.did', { ref: one.ref, act: name }))
    } catch (e) {
      // Who was quicker is told by who asked; that the row moves need not be told beside it.
      if (!(e instanceof ApiError && e.status === 409)) own.delete(one.ref)
      throw e
    } finally {
      changed(one.num)
    }
  }
  /** What went wrong, in words; of a case that another changed, where it stands now. */
  async function faultOf(e: ApiError, of?: string): Promise<string> {
    if (e.offline) return t('error.offline')
    if (e.status !== 409) return serverWords(e, locale.value) ?? t('error.unknown', { status: e.status })
    if (of === undefined) return t('queue.changedMeanwhile')
    try {
      const now = await ask(client.GET('/cases/{case}', { params: { path: { case: of } } }))
      return t('queue.changedTo', { ref: of, state: t(`matter.state.${now.case.state}`) })
    } catch {
      return t('queue.changedMeanwhile') // it is not to be seen any more, or the line broke
    }
  }
  const changed = (num: number) => {
    changes.add(num)
    counts.add(undefined)
  }

  const { state: live, brokenAt } = useFeed(session, () => session.signedIn.value && center.can('case.triage'), {
    back() {
      first.reload()
      counts.add(undefined)
      center.revived.value++
    },
    event(type, data) {
      if (type === 'access' || ofOthers(type)) return
      counts.add(undefined)
      if (type === 'case.changed' || type === 'report.filed') {
        const { num, part, state } = data as { num: number; part?: number; state?: string }
        if (state) states.set(part ? `${num}-${part}` : String(num), state)
        if (type === 'case.changed') center.caseChanged.value = { num }
        changes.add(num)
        return
      }
      again.add(undefined)
      center.moved.value++
    },
  })
  onScopeDispose(() => {
    for (const c of [changes, again, counts]) c.stop()
  })
  watch(session.rights, () => {
    chooseNone()
    first.drop()
  })
  watch([filter, () => place.value.words], (now, before) => {
    if (JSON.stringify(now) === JSON.stringify(before)) return
    chooseNone()
    lit.value = place.value.open
    stood = -1
  })

  return {
    center,
    client,
    place,
    go,
    filter,
    setFilter,
    look: (words: string) => go({ words }, true),
    now,
    rows,
    total,
    first,
    more,
    hasMore: computed(() => next.value !== undefined),
    loadingMore,
    moreFailed,
    lit,
    litRow,
    chosen,
    chosenRows,
    light,
    move,
    choose,
    chooseNone,
    open,
    act,
    faultOf,
    own,
    fresh,
    live,
    brokenAt,
    counted,
    changed,
  }
}
