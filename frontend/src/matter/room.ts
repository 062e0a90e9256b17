import { computed, type InjectionKey, inject, onScopeDispose, type Ref, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { useCenter } from '../center/center'
import { ask, type CityClient } from '../shared/api/client'
import { ofOthers } from '../shared/api/live'
import { type Resource, useResource } from '../shared/api/resource'
import type { City } from '../shared/api/types'
import { type Formatter, formatter } from '../shared/i18n/format'
import { nameIn } from '../shared/i18n/names'
import { usePrefs } from '../shared/prefs'
import { useFeed } from '../shared/session/feed'
import type { Action } from '../shared/session/roles'
import { useSession } from '../shared/session/session'

type Readable<T> = Readonly<Ref<T>>

/** What everything that shows a case asks of the page that it stands on: the map's own page, a case's, a team leader's. */
export interface Room {
  code: string
  client: CityClient
  can: (action: Action) => boolean
  city: Resource<City>
  fmt: Readable<Formatter>
  /** Unix seconds. */
  now: Readable<number>
  itemName: (code: string) => string
  distance: (metres: number) => string
  /** Tells a screen reader. */
  say: (text: string) => void
  /** The report whose case was changed last; a new object each time. */
  caseChanged: Readable<{ num: number } | null>
  /** Grows when something changed and nobody said what. */
  renewed: Readable<number>
}

const key: InjectionKey<Room> = Symbol('room')
export const roomKey = key

/** The room that the page has made; on the map's page, what that shares with its panes. */
export function useRoom(): Room {
  const own = inject(key, null)
  if (own) return own
  const center = useCenter()
  return { ...center, renewed: computed(() => center.moved.value + center.revived.value) }
}

/** A room for a page that stands by itself; it hears of what happens in the city. */
export function createRoom() {
  const { t } = useI18n()
  const { locale } = usePrefs()
  const session = useSession()
  const { client, can, code } = session
  const city = useResource(
    () => code,
    (_, signal) => ask<City>(client.GET('/', { signal })),
  )
  const zone = computed(() => city.data.value?.timezone ?? 'Asia/Shanghai')
  const fmt = computed(() => formatter(locale.value, zone.value))
  const now = ref(Date.now() / 1000)
  const tick = setInterval(() => {
    now.value = Date.now() / 1000
  }, 10_000)
  const said = ref('')
  const caseChanged = shallowRef<{ num: number } | null>(null)
  const renewed = ref(0)
  const items = computed(() => new Map(city.data.value?.items.map(i => [i.code, i])))

  const { state } = useFeed(session, () => can('report.view'), {
    back: () => renewed.value++,
    event(type, data) {
      if (type === 'case.changed') caseChanged.value = { num: (data as { num: number }).num }
      else if (type !== 'report.filed' && type !== 'report.imported' && !ofOthers(type)) renewed.value++
    },
  })
  /** The line to the service is broken. */
  const broken = computed(() => state.value === 'reconnecting')
  onScopeDispose(() => clearInterval(tick))

  const room: Room = {
    code,
    client,
    can,
    city,
    fmt,
    now,
    itemName(item) {
      return nameIn(items.value.get(item), locale.value) || item
    },
    distance(m) {
      const d = fmt.value.distance(m)
      return t(d.key, { n: d.n })
    },
    say: text => {
      said.value = text
    },
    caseChanged,
    renewed,
  }
  return { room, said, broken, session }
}
