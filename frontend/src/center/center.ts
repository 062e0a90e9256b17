import { computed, type InjectionKey, inject, onScopeDispose, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { ask, cityClient } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { City, JurisdictionRef, Report, Role } from '../shared/api/types'
import { formatter } from '../shared/i18n/format'
import type { Box, Point } from '../shared/map/geo'
import { usePrefs } from '../shared/prefs'
import { parseTime } from '../shared/time/zone'
import { useDraft } from './draft'
import { useView } from './history'
import { useReports } from './reports'
import { around, bucketFor, type Span } from './span'
import { everything, type Filters, filterParams, type Selection, sameSelection, type View } from './view'

/** What the person is doing on the map besides looking: writing a report, or placing one that has no place. */
export type Task =
  | { type: 'none' }
  | { type: 'file'; picking: boolean }
  | { type: 'place'; report: Report; point: Point | null }

export interface Notice {
  id: number
  text: string
  action?: { label: string; run: () => void }
}

/** What all panes of the live map share. Created once a city by CenterPage and handed down. */
export type Center = ReturnType<typeof createCenter>
const key: InjectionKey<Center> = Symbol('center')
export const centerKey = key

export function useCenter(): Center {
  const center = inject(key)
  if (!center) throw new Error('the centre is provided by CenterPage')
  return center
}

export function createCenter(code: string) {
  const { t } = useI18n()
  const { locale } = usePrefs()
  const client = cityClient(code)
  const { view, change, onTravel } = useView()

  const city = useResource(
    () => code,
    (_, signal) => ask<City>(client.GET('/', { signal })),
  )
  /** There is no such city. */
  const unknown = computed(() => city.error.value?.status === 404)
  const zone = computed(() => city.data.value?.timezone ?? 'Asia/Shanghai')
  const fmt = computed(() => formatter(locale.value, zone.value))

  const now = ref(Date.now() / 1000)
  const clock = setInterval(() => {
    now.value = Date.now() / 1000
  }, 20_000)
  onScopeDispose(() => clearInterval(clock))

  // What lies in the map's view: null as long as the whole city does.
  const box = shallowRef<Box | null>(null)
  const mapReady = ref(false)
  const bbox = computed(() => {
    const all = city.data.value?.bbox
    const b = box.value
    if (!b || !all) return null
    const whole = b[0] <= all[0]! && b[1] <= all[1]! && b[2] >= all[2]! && b[3] >= all[3]!
    return whole ? null : b.map(v => v.toFixed(5)).join(',')
  })

  const window = computed(() => ({
    from: view.value.filters.from === null ? null : parseTime(view.value.filters.from, zone.value),
    to: view.value.filters.to === null ? null : parseTime(view.value.filters.to, zone.value),
  }))

  // All the time there are reports for; it grows only when the city is loaded again, so the bar does not creep.
  const allTime = computed<Span | null>(() => {
    const c = city.data.value
    if (!c?.first || !c.last) return null
    const [from, to] = [Math.floor(Date.parse(c.first) / 1000), Math.floor(Date.parse(c.last) / 1000) + 1]
    return { from, to: Math.max(to, from + 3600) }
  })
  const shownTime = computed<Span | null>(() => {
    const all = allTime.value
    if (!all || !view.value.near) return all
    const { from, to } = window.value
    if (from === null && to === null) return all
    const w = { from: from ?? all.from, to: to ?? Math.max(all.to, now.value) }
    return w.to > w.from ? around({ from: Math.floor(w.from), to: Math.floor(w.to) }, all) : all
  })

  const counts = useResource(
    () => {
      if (!city.data.value || !mapReady.value) return null
      const span = shownTime.value
      return {
        ...filterParams(view.value.filters),
        ...(bbox.value ? { bbox: bbox.value } : {}),
        ...(span ? { bucket: bucketFor(span) } : {}),
        ...(span && view.value.near ? { span_from: iso(span.from), span_to: iso(span.to) } : {}),
      }
    },
    (query, signal) => ask(client.GET('/counts', { params: { query }, signal })),
  )

  const reports = useReports(client, () =>
    city.data.value && mapReady.value
      ? {
          filters: view.value.filters,
          bbox: view.value.list === 'unplaced' ? null : bbox.value,
          unplaced: view.value.list === 'unplaced',
        }
      : null,
  )

  /** How often the line to the service was found again: what failed meanwhile is asked for anew. */
  const revived = ref(0)

  const task = shallowRef<Task>({ type: 'none' })
  const draft = useDraft(code)

  /** The point of what is open in the detail, once it is known. */
  const shownPoint = shallowRef<Point | null>(null)
  /** The box of the area that is open in the detail, once it is known. */
  const shownArea = shallowRef<Box | null>(null)
  /** Where the sheet begins that lies over the map on a narrow screen, in pixels from the top; null without one. */
  const sheetTop = ref<number | null>(null)
  /** A position that was searched for, lit until something is chosen or it is taken back. */
  const found = shallowRef<Point | null>(null)
  /** Moves the map; set by the map while there is one. */
  const goTo = shallowRef<(to: Point & { bbox?: number[] }) => void>(() => {})

  const showWhole = shallowRef<() => void>(() => {})

  const hovered = shallowRef<({ num: number } & Partial<Point>) | null>(null)

  // Short notes that go away by themselves, and what a screen reader is told.
  const notices = ref<Notice[]>([])
  const said = ref('')
  let lastNotice = 0
  function notify(text: string, action?: Notice['action']): void {
    const id = ++lastNotice
    notices.value = [...notices.value.slice(-2), { id, text, action }]
    setTimeout(() => dismiss(id), action ? 12_000 : 5000)
  }
  function dismiss(id: number): void {
    notices.value = notices.value.filter(n => n.id !== id)
  }

  function select(selected: Selection | null): void {
    found.value = null
    if (!sameSelection(view.value.selected, selected)) change({ selected })
  }
  function setFilters(part: Partial<Filters>): void {
    change({ filters: { ...view.value.filters, ...part } })
  }

  /** The codes of the items where they are short enough to be known by heart. */
  const codes = computed(() => city.data.value?.items.every(i => i.code.length <= 4) ?? true)
  const items = computed(() => new Map(city.data.value?.items.map(i => [i.code, i])))

  return {
    code,
    client,
    city,
    unknown,
    zone,
    fmt,
    now,
    view: view as Readonly<typeof view>,
    change,
    onTravel,
    box,
    bbox,
    mapReady,
    window,
    allTime,
    shownTime,
    counts,
    reports,
    revived,
    task,
    draft,
    shownPoint,
    shownArea,
    found,
    sheetTop,
    goTo,
    showWhole,
    hovered,
    notices,
    notify,
    dismiss,
    said,
    say: (text: string) => {
      said.value = text
    },
    select,
    setFilters,
    clearFilters: () => change({ filters: everything }),
    codes,
    itemName(item: string): string {
      const i = items.value.get(item)
      return (locale.value === 'en' ? (i?.name_en ?? i?.name) : i?.name) ?? item
    },
    /** A level's own name in this city where it has one in the reader's language, else the usual one. */
    levelName(level: Role): string {
      const own = city.data.value?.levels.find(l => l.role === level)?.name
      return own && own !== level && /\p{Script=Han}/u.test(own) === (locale.value === 'zh') ? own : t(`level.${level}`)
    },
    areaName: (a: Pick<JurisdictionRef, 'name' | 'name_latin' | 'code'>) =>
      (locale.value === 'en' ? a.name_latin || a.name : a.name) || a.code,
    distance(m: number): string {
      const d = fmt.value.distance(m)
      return t(d.key, { n: d.n })
    },
    filtered: computed(() => JSON.stringify(view.value.filters) !== JSON.stringify(everything)),
  }
}

function iso(unix: number): string {
  return new Date(Math.floor(unix) * 1000).toISOString().replace('.000Z', 'Z')
}

export type { View }
