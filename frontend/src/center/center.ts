import { computed, type InjectionKey, inject, onScopeDispose, reactive, ref, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useHome } from '../home/home'
import type { ListName } from '../home/homes'
import { ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { City, Report, Role } from '../shared/api/types'
import { formatter } from '../shared/i18n/format'
import { areaName, nameIn } from '../shared/i18n/names'
import type { Box, Point } from '../shared/map/geo'
import { usePrefs } from '../shared/prefs'
import { useSession } from '../shared/session/session'
import { iso, parseTime, unix } from '../shared/time/zone'
import { freshCaller, useDraft } from './draft'
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

/** Without lists: a page that has others than the home's. */
export function createCenter({ lists = true } = {}) {
  const { t } = useI18n()
  const { locale } = usePrefs()
  const session = useSession()
  const { home, setup, beyond } = useHome()
  const { code, client, can } = session
  const { view, change, onTravel, fresh } = useView()
  if (fresh && setup.value.counted && !setup.value.heat) change({ heat: 'off' }, false)

  const city = useResource(
    () => code,
    (_, signal) => ask<City>(client.GET('/', { signal })),
  )
  /** The list that is shown: of those that the home has, and none where it has none. */
  const list = computed<ListName | null>(() => {
    const those = shownLists()
    return those.find(l => l === view.value.list) ?? those[0] ?? null
  })
  const shownLists = () =>
    setup.value.lists.filter(
      l => lists && can(l === 'plans' ? 'city.view' : 'report.view') && (l !== 'unplaced' || seesUnplaced()),
    )
  // What lies in no grid lies in no part of the city either.
  const seesUnplaced = () => can('report.view_unplaced') && (!home.value.area || home.value.area.level === 'city')
  /** There are numbers, heat and a time bar: the home has a territory, and its reports may be seen. */
  const counted = computed(() => setup.value.counted && can('report.view'))
  const zone = computed(() => city.data.value?.timezone ?? 'Asia/Shanghai')
  const fmt = computed(() => formatter(locale.value, zone.value))

  const now = ref(Date.now() / 1000)
  const clock = setInterval(() => {
    now.value = Date.now() / 1000
  }, 20_000)
  onScopeDispose(() => clearInterval(clock))

  /** What the map is framed to: the territory of the home, else the city. */
  const frame = computed<Box | null>(() => home.value.bbox ?? (city.data.value?.bbox as Box | undefined) ?? null)

  // What lies in the map's view: null as long as all of the frame does, and no more than that may be seen.
  const box = shallowRef<Box | null>(null)
  const mapReady = ref(false)
  const bbox = computed(() => {
    const all = frame.value
    const b = box.value
    if (!b || !all) return null
    const whole = b[0] <= all[0] && b[1] <= all[1] && b[2] >= all[2] && b[3] >= all[3]
    return whole && !beyond.value ? null : b.map(v => v.toFixed(5)).join(',')
  })

  const window = computed(() => ({
    from: view.value.filters.from === null ? null : parseTime(view.value.filters.from, zone.value),
    to: view.value.filters.to === null ? null : parseTime(view.value.filters.to, zone.value),
  }))

  // All the time there are reports for; it grows only when the city is loaded again, so the bar does not creep.
  const allTime = computed<Span | null>(() => {
    const c = city.data.value
    if (!c?.first || !c.last) return null
    const [from, to] = [Math.floor(unix(c.first)), Math.floor(unix(c.last)) + 1]
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
      if (!city.data.value || !mapReady.value || !counted.value) return null
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
    city.data.value && mapReady.value && (list.value === 'reports' || list.value === 'unplaced')
      ? {
          filters: view.value.filters,
          bbox: list.value === 'unplaced' ? null : bbox.value,
          unplaced: list.value === 'unplaced',
        }
      : null,
  )

  /** Grows when what the reader may see has changed: nothing of before is kept. */
  const dropped = ref(0)
  function drop(): void {
    dropped.value++
    city.reload()
    counts.drop()
    reports.drop()
  }
  watch(session.rights, drop)

  // What anybody may see where the city has opened its map: the heat of whole months.
  const open = useResource(
    () => (home.value.type === 'public' && session.state.value?.public_map ? code : null),
    (_, signal) => ask(client.GET('/public/heat', { signal })),
  )
  /** The month of the open heat: the chosen one, else the latest that is whole; null: there is none to show. */
  const openMonth = computed(() => {
    const months = open.data.value?.months ?? []
    const chosen = view.value.filters.from?.slice(0, 7)
    const whole = months.filter(m => Date.parse(open.data.value!.until) >= Date.parse(nextMonth(m)))
    return months.find(m => m === chosen) ?? whole.at(-1) ?? months.at(-1) ?? null
  })

  /** How often the line to the service was found again: what failed meanwhile is asked for anew. */
  const revived = ref(0)

  /** How often reports moved, came or went without word of which. */
  const moved = ref(0)
  /** How often proposals or orders of investigations were made or decided about. */
  const decided = ref(0)
  /** The report whose case was changed last; a new object each time. */
  const caseChanged = shallowRef<{ num: number } | null>(null)

  const task = shallowRef<Task>({ type: 'none' })
  const draft = useDraft(code, session.state.value?.person?.id ?? '')
  const caller = reactive(freshCaller())
  watch(session.reader, () => Object.assign(caller, freshCaller()))

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

  const nameOf = (a: Parameters<typeof areaName>[0]) => areaName(a, locale.value)
  const cityName = computed(() => nameIn(city.data.value, locale.value) || code)
  const place = computed(() =>
    home.value.area && home.value.area.level !== 'city' ? nameOf(home.value.area) : cityName.value,
  )

  /** The codes of the items where they are short enough to be known by heart. */
  const codes = computed(() => city.data.value?.items.every(i => i.code.length <= 4) ?? true)
  const items = computed(() => new Map(city.data.value?.items.map(i => [i.code, i])))

  return {
    code,
    client,
    session,
    can,
    city,
    home,
    setup,
    list,
    lists: computed(shownLists),
    /** Shows one of the home's lists; the first is what an address without one shows. */
    showList: (name: ListName) => change({ list: name === shownLists()[0] ? null : name }),
    counted,
    frame,
    beyond,
    dropped,
    drop,
    zone,
    fmt,
    now,
    /** Nothing was in the address when the page opened: it shows the home as it is set up. */
    fresh,
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
    open,
    openMonth,
    revived,
    moved,
    decided,
    caseChanged,
    task,
    draft,
    caller,
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
    cityName,
    itemName(item: string): string {
      return nameIn(items.value.get(item), locale.value) || item
    },
    /** A level's own name in this city where it has one in the reader's language, else the usual one. */
    levelName(level: Role): string {
      const own = city.data.value?.levels.find(l => l.role === level)?.name
      return own && own !== level && /\p{Script=Han}/u.test(own) === (locale.value === 'zh') ? own : t(`level.${level}`)
    },
    areaName: nameOf,
    /** What the numbers speak of: the home's territory, or the city. */
    place,
    /** The same in words, for a sentence; '' where the numbers speak of the whole city or of other territories too. */
    within: computed(() =>
      home.value.area && home.value.area.level !== 'city' && !beyond.value
        ? t('home.within', { area: nameOf(home.value.area) })
        : '',
    ),
    distance(m: number): string {
      const d = fmt.value.distance(m)
      return t(d.key, { n: d.n })
    },
    filtered: computed(() => JSON.stringify(view.value.filters) !== JSON.stringify(everything)),
  }
}

/** The first day of the month after one such as 2026-11. */
function nextMonth(month: string): string {
  const [y, m] = month.split('-').map(Number) as [number, number]
  return m === 12 ? `${y + 1}-01-01` : `${y}-${String(m + 1).padStart(2, '0')}-01`
}

export type { View }
