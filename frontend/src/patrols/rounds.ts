import { computed, type InjectionKey, inject, onScopeDispose, reactive, ref, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Center } from '../center/center'
import { ApiError, ask, done } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import { serverWords } from '../shared/api/words'
import { areaName } from '../shared/i18n/names'
import { Coalescer } from '../shared/map/coalesce'
import type { Point } from '../shared/map/geo'
import { usePrefs } from '../shared/prefs'
import { useFeed } from '../shared/session/feed'
import {
  type Area,
  type Asked,
  apart,
  below,
  changeOf,
  type Draft,
  draftOf,
  type Field,
  formatAsked,
  gapsOf,
  gridIn,
  type Opened,
  type PatrolPoint,
  parseAsked,
  pointsOf,
  windowOf,
} from './patrols'

/** What the parts of the page of patrols share. Created by PatrolsPage and handed down. */
export type Rounds = ReturnType<typeof createRounds>
const key: InjectionKey<Rounds> = Symbol('rounds')
export const roundsKey = key

export function useRounds(): Rounds {
  const rounds = inject(key)
  if (!rounds) throw new Error('the rounds are provided by PatrolsPage')
  return rounds
}

/** Points, who was there, and what is being set or changed, beside the city, the window and the words that the page has of the center. */
export function createRounds(center: Center) {
  const { t, te } = useI18n()
  const { locale } = usePrefs()
  const { client, session } = center
  const asked = computed(() => parseAsked(center.view.value.more))
  function change(part: Partial<Asked>, step = true) {
    center.change({ more: formatAsked({ ...asked.value, ...part }) }, step)
  }
  const may = computed(() => center.can('patrol.view'))

  const points = useResource(
    () => (may.value ? center.code : null),
    (_, signal) => ask(client.GET('/patrols/points', { signal })),
  )
  const coverage = useResource(
    () => {
      if (!may.value || !center.city.data.value) return null
      const { from, to } = center.view.value.filters
      return windowOf({ from, to }, asked.value.days, center.now.value, center.zone.value)
    },
    (query, signal) => ask(client.GET('/patrols/coverage', { params: { query }, signal })),
  )

  /** The part of the city that is looked at; null: all that may be seen. */
  const area = computed<Area | null>(() => {
    const s = center.view.value.selected
    return s?.type === 'area' && (s.level === 'town' || s.level === 'village') ? s : null
  })
  function look(at: Area | null) {
    if (JSON.stringify(at) === JSON.stringify(area.value)) return
    center.change({ selected: at && { type: 'area', level: at.level, code: at.code } })
    void go(at)
  }
  /** Brings an area into view, once it is known where it lies; a page without it is as good. */
  async function go(at: Area | null) {
    if (!at) return center.showWhole.value()
    const path = { level: at.level, code: at.code }
    const found = await ask(client.GET('/jurisdictions/{level}/{code}', { params: { path } })).catch(() => null)
    if (!found || JSON.stringify(area.value) !== JSON.stringify(at)) return
    const [west, south, east, north] = found.bbox as [number, number, number, number]
    center.goTo.value({ lon: (west + east) / 2, lat: (south + north) / 2, bbox: found.bbox })
  }
  const all = computed(() => points.data.value?.points ?? [])
  const shown = computed(() =>
    pointsOf(all.value, { area: area.value, states: asked.value.states, words: center.view.value.filters.words }),
  )
  const inArea = computed(() => pointsOf(all.value, { area: area.value, states: [], words: '' }))
  const gaps = computed(() => gapsOf(coverage.data.value?.grids ?? [], all.value, area.value))
  const areas = computed(() => (coverage.data.value ? below(coverage.data.value, area.value) : []))
  const figure = computed(() => {
    const c = coverage.data.value
    if (!c) return null
    const at = area.value
    if (!at) return { ...c.visited, noPoint: c.no_point, partly: false }
    const whole = c.areas.find(a => a.area.level === at.level && a.area.code === at.code)
    if (whole) return { ...whole.visited, noPoint: whole.no_point, partly: false }
    const grids = c.grids.filter(g => gridIn(at, g))
    return {
      part: grids.filter(g => g.state === 'visited').length,
      n: grids.length,
      noPoint: grids.filter(g => g.state === 'no_point').length,
      percent: undefined,
      partly: true,
    }
  })

  const names = computed(() => {
    const found = new Map<string, string>()
    const put = (a: Parameters<typeof areaName>[0] & { level: string; code: string }) =>
      found.set(`${a.level} ${a.code}`, areaName(a, locale.value))
    for (const p of all.value) for (const a of [p.town, p.village, p.grid]) if (a) put(a)
    for (const a of coverage.data.value?.areas ?? []) put(a.area)
    for (const g of coverage.data.value?.grids ?? []) put(g.grid)
    return found
  })
  const nameOf = (level: string, code: string | undefined) =>
    code ? (names.value.get(`${level} ${code}`) ?? code) : ''
  /** Where something lies, from the smaller to the larger. */
  const where = (at: { grid?: string; village?: string; town?: string }) =>
    apart((['grid', 'village', 'town'] as const).map(level => nameOf(level, at[level]))).join(' · ')

  /** The point that is lit, in the list or on the map. */
  const lit = ref<number | null>(null)
  const open = (opened: Opened | null) => {
    if (JSON.stringify(opened) !== JSON.stringify(asked.value.open)) change({ open: opened })
  }
  const openPoint = computed(() => {
    const o = asked.value.open
    return o?.what === 'point' ? (all.value.find(p => String(p.id) === o.id) ?? null) : null
  })

  // What is being set or changed. `picking`: the place is to be shown on the map first.
  const draft = shallowRef<Draft | null>(null)
  const picking = ref(false)
  /** There is a map to show a place on. */
  const mapped = ref(false)
  function begin() {
    picking.value = mapped.value
  }
  function take(place: Point) {
    const at = { lon: Number(place.lon.toFixed(7)), lat: Number(place.lat.toFixed(7)) }
    picking.value = false
    if (draft.value) draft.value.place = at
    else draft.value = reactive<Draft>({ was: null, name: '', note: '', rhythmDays: 7, place: at })
  }
  function edit(p: PatrolPoint) {
    draft.value = reactive(draftOf(p))
  }
  /** Puts away what is being written; it can be taken up again for a while. */
  function leave() {
    const d = draft.value
    const touched = d && (d.was === null || JSON.stringify(d) !== JSON.stringify(draftOf(d.was)))
    picking.value = false
    draft.value = null
    if (!touched) return
    center.notify(t('patrols.left'), {
      label: t('patrols.takeUp'),
      run: () => {
        draft.value = d
      },
    })
  }
  /** Puts it away for good. */
  function drop() {
    draft.value = null
  }
  /** The place is not to be shown anew after all. */
  function unpick() {
    picking.value = false
  }
  /** What is open makes room for a sheet. */
  function away() {
    if (draft.value || picking.value) leave()
    else open(null)
  }
  /** The place of the draft as the service places it. */
  const located = useResource(
    () => draft.value && { lon: draft.value.place.lon, lat: draft.value.place.lat },
    (query, signal) => ask(client.GET('/locate', { params: { query }, signal })),
  )
  /** Why the draft's place cannot be had; '' where it can, or where it is not known yet. */
  const misplaced = computed<'' | 'outside' | 'notHere'>(() => {
    const [at, d] = [located.data.value, draft.value]
    if (!at || !d || located.stale.value) return ''
    if (d.was && d.was.lon === d.place.lon && d.was.lat === d.place.lat) return '' // it is there already
    const grid = at.placement.method === 'inside' || at.placement.method === 'edge' ? at.placement.grid : undefined
    if (!grid) return 'outside'
    const grids = coverage.data.value?.grids
    return grids && !grids.some(g => g.grid.code === grid.code && g.may_set) ? 'notHere' : ''
  })

  function reload() {
    points.reload()
    coverage.reload()
    again.value++
  }
  /** Grows when visits of a point may be others. */
  const again = ref(0)

  function words(e: ApiError): string {
    if (e.offline) return t('error.offline')
    const own = `patrols.fault.${e.problem.code}`
    if (te(own)) return t(own)
    return serverWords(e, locale.value) ?? t('error.unknown', { status: e.status })
  }
  /** Does something beside a form; what went wrong is told below. */
  async function attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      center.notify(words(e))
      if (e.problem.code === 'point_changed' || e.status === 404) reload()
    }
  }
  async function set(d: Draft): Promise<void> {
    const { name, note, rhythm_days } = changeOf(d, ['name', 'note', 'rhythm'])
    const body = { name: name!, rhythm_days: rhythm_days!, ...d.place, ...(note ? { note } : {}) }
    const made = await ask(client.POST('/patrols/points', { body }))
    draft.value = null
    reload()
    center.notify(t('patrols.set', { name: made.name }))
    open({ what: 'point', id: String(made.id) })
  }
  async function put(p: PatrolPoint, version: number, d: Draft, fields: readonly Field[]): Promise<PatrolPoint> {
    const body = { version, ...changeOf(d, fields) }
    return ask(client.PUT('/patrols/points/{id}', { params: { path: { id: p.id } }, body }))
  }
  async function save(d: Draft, over: PatrolPoint, fields: readonly Field[]): Promise<void> {
    const now = await put(over, over.version, d, fields)
    draft.value = null
    reload()
    center.notify(t('patrols.changed', { name: now.name }), {
      label: t('patrols.undo'),
      run: () =>
        void attempt(async () => {
          await put(now, now.version, draftOf(over), fields)
          reload()
        }),
    })
  }
  const remove = (p: PatrolPoint) =>
    attempt(async () => {
      const path = { id: p.id }
      await done(client.DELETE('/patrols/points/{id}', { params: { path, query: { version: p.version } } }))
      open(null)
      reload()
      center.notify(t('patrols.removed', { name: p.name }), {
        label: t('patrols.undo'),
        run: () =>
          void attempt(async () => {
            const body = { version: p.version + 1 }
            await ask(client.POST('/patrols/points/{id}/restore', { params: { path }, body }))
            reload()
            open({ what: 'point', id: String(p.id) })
          }),
      })
    })

  const soon = new Coalescer<void>(800, reload)
  const live = useFeed(session, () => may.value && center.can('report.view'), {
    back: () => {
      center.city.reload()
      soon.add(undefined)
    },
    event(type) {
      if (type === 'access') center.drop()
      else if (type === 'city.changed') center.city.reload()
      else if (type === 'plan.published' || type === 'reset') {
        center.city.reload()
        soon.add(undefined)
      } else if (type === 'patrol.changed') soon.add(undefined)
    },
  })
  // Whoever hears no feed sees what is new when coming back to the page.
  const seen = () => {
    if (document.visibilityState === 'visible' && live.state.value !== 'live') soon.add(undefined)
  }
  document.addEventListener('visibilitychange', seen)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', seen)
    soon.stop()
  })
  watch(center.dropped, () => {
    picking.value = false
    draft.value = null
    points.drop()
    coverage.drop()
    again.value++
  })

  return {
    center,
    asked,
    change,
    points,
    coverage,
    area,
    look,
    all,
    inArea,
    shown,
    gaps,
    areas,
    figure,
    nameOf,
    where,
    lit,
    open,
    openPoint,
    /** Whether there is somewhere where one may set points. */
    maySet: computed(() => center.can('patrol.edit') && (points.data.value?.may_set ?? false)),
    draft,
    picking,
    mapped,
    begin,
    take,
    edit,
    leave,
    drop,
    unpick,
    away,
    located,
    misplaced,
    again,
    reload,
    words,
    set,
    save,
    remove,
    live,
  }
}
