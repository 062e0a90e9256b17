import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Span } from '../center/span'
import { ApiError, ask } from '../shared/api/client'
import type { DecisionMade, PlaceRef, Role } from '../shared/api/types'
import { roles } from '../shared/api/types'
import { serverWords } from '../shared/api/words'
import { inWords } from '../shared/i18n/names'
import { Coalescer } from '../shared/map/coalesce'
import { usePrefs } from '../shared/prefs'
import { unix } from '../shared/time/zone'
import { around, type FormFault, faultOf } from './investigations'
import type { Study } from './study'

interface Renewable {
  reload: () => void
  drop: () => void
}

/** Asks anew for what the feed says has changed; what may no longer be seen goes at once. */
export function useRenewed(study: Study, ...those: Renewable[]) {
  const renew = new Coalescer<void>(1000, () => {
    for (const r of those) r.reload()
  })
  watch([study.changed, study.center.revived], () => renew.add(undefined))
  watch(study.center.dropped, () => {
    for (const r of those) r.drop()
  })
  onScopeDispose(() => renew.stop())
}

/** Words for places, people and decisions, as lists, details and forms say them. */
export function useTelling(study: Study) {
  const { t } = useI18n()
  const { locale } = usePrefs()
  const { center } = study
  const me = center.session.state.value?.person?.id
  const name = (p: PlaceRef) => inWords(p.words, locale.value) || p.code
  const who = (p: { id: string; name: string }) =>
    p.id === me ? t('matter.work.me') : p.name || t('proposals.somebody')
  return {
    name,
    who,
    where(places: readonly PlaceRef[]): string {
      const [first, ...others] = places
      if (!first) return ''
      if (others.length === 0) return name(first)
      return t('proposals.places', { name: name(first), n: others.length })
    },
    /** "Approved by Fan Zhigang at 14:02", for who comes second. */
    did: (d: DecisionMade) =>
      t('proposals.didAt', {
        who: who(d.by),
        act: t(`proposals.did.${d.act}`),
        at: center.fmt.value.ago(unix(d.at), center.now.value),
      }),
  }
}

/** The window, and the other time beside it, in words. */
export function useTimes({ center, window, beside }: Study) {
  const { t } = useI18n()
  const words = (w: Span | null) =>
    w ? t('hotspots.at', { from: center.fmt.value.day(w.from), to: center.fmt.value.day(w.to - 1) }) : ''
  return {
    window: computed(() => words(window.value)),
    beside: computed(() => words(beside.value)),
    both: computed(() =>
      beside.value
        ? t('hotspots.both', { left: words(beside.value), right: words(window.value) })
        : words(window.value),
    ),
  }
}

/** Shows units on the map, all of them where they are few. */
export async function showUnits(study: Study, level: string, codes: readonly string[]): Promise<void> {
  const { center } = study
  const role = roles.find(r => r === level)
  if (!role) return
  const opened = JSON.stringify(study.asked.value.open)
  const asked = study.asked.value.level === role ? study.list.data.value?.places : undefined
  const boxes = await Promise.all(
    codes.slice(0, 12).map(async code => {
      const place = asked?.find(p => p.code === code)
      if (place) return place.bbox
      try {
        const path = { level: role, code }
        return (await ask(center.client.GET('/jurisdictions/{level}/{code}', { params: { path } }))).bbox
      } catch {
        return null // of an earlier plan, perhaps: the map stays where it is
      }
    }),
  )
  // Somebody has gone on meanwhile.
  if (JSON.stringify(study.asked.value.open) !== opened) return
  const box = around(boxes.filter(b => b !== null))
  if (box) center.goTo.value({ lon: (box[0] + box[2]) / 2, lat: (box[1] + box[3]) / 2, bbox: box })
}

/** Opens a proposal or an order, with the map at its places, which are drawn where the map is of their level. */
export function openWith(
  study: Study,
  what: 'proposal' | 'order',
  row: { id: number; level: string; places: readonly PlaceRef[] },
) {
  const level = study.levels.value.find((l): l is Role => l === row.level) ?? study.asked.value.level
  const open = { what, id: String(row.id) } as const
  const now = study.asked.value
  if (now.open?.what !== what || now.open.id !== open.id || now.level !== level) study.change({ open, level })
  const codes = row.places.map(p => p.code)
  study.outlined.value = codes
  void showUnits(study, row.level, codes)
}

/** Sends what somebody decided, and says what came of it. Nothing that was typed is lost by it. */
export function useSending() {
  const { t, te } = useI18n()
  const { locale } = usePrefs()
  const sending = ref(false)
  const fault = shallowRef<(FormFault & { words: string }) | null>(null)
  function wordsOf(e: ApiError): string {
    if (e.offline) return t('proposals.fault.offline')
    const key = `proposals.fault.${e.problem.code ?? 'other'}`
    return te(key) ? t(key) : (serverWords(e, locale.value) ?? t('proposals.fault.other', { status: e.status }))
  }
  return {
    sending,
    fault,
    refuse(field: string, code: string) {
      fault.value = { field, index: null, code, words: t(`proposals.fault.${code}`) }
    },
    clear() {
      fault.value = null
    },
    /** null: it was not done. */
    async send<T>(post: () => Promise<T>): Promise<T | null> {
      if (sending.value) return null
      sending.value = true
      fault.value = null
      try {
        return await post()
      } catch (e) {
        if (!(e instanceof ApiError)) throw e
        fault.value = { ...faultOf(e), words: wordsOf(e) }
        return null
      } finally {
        sending.value = false
      }
    },
  }
}
