import { v4 } from 'uuid'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import {
  type ActFault,
  actFault,
  asksFirst,
  body,
  type Choice,
  choices,
  firstFilled,
  lacking,
  nothingFilled,
} from '../center/cases'
import { ownLane } from '../photo/lane'
import { usePhotos } from '../photo/photos'
import { ApiError, ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { CaseDetail } from '../shared/api/types'
import { serverWords } from '../shared/api/words'
import { usePrefs } from '../shared/prefs'
import { useSession } from '../shared/session/session'
import { loadWriting, storeWriting, type Writing } from './drafts'
import type { Room } from './room'

/** An act that was not done, of which its case's page cannot tell as another is shown. */
export interface Lost {
  ref: string
  act: string
  words: string
  /** Nothing was answered: it may be sent again as it is. */
  again: (() => Promise<unknown>) | null
}

export type Work = ReturnType<typeof useWork>

/** A case as somebody works with it: what it is, what may be done, and the one form that is open. */
export function useWork(
  room: Room,
  caseRef: () => string,
  on: {
    done?: (before: CaseDetail, after: CaseDetail, choice: Choice) => unknown
    changed?: () => void
    /** What was sent about a case that is no longer shown was not done. */
    lost?: (lost: Lost) => void
    /** So many ms pass, in which it can be taken back, before what is done by its button alone is sent. */
    hold?: number
  } = {},
) {
  const { t } = useI18n()
  const { locale: language } = usePrefs()
  const person = useSession().state.value?.person?.id ?? ''
  const matter = useResource(caseRef, (ref, signal) =>
    ask(room.client.GET('/cases/{case}', { params: { path: { case: ref } }, signal })),
  )
  /** The case before is not shown, nor acted on, as this one. */
  const detail = computed(() => (matter.data.value?.ref === caseRef() ? matter.data.value : undefined))
  const buttons = computed(() => (detail.value ? choices(detail.value) : []))
  const photos = usePhotos({ lane: () => ownLane(room), max: 9 })

  watch(room.caseChanged, told => {
    if (told && caseRef().split('-')[0] === String(told.num)) matter.reload()
  })
  watch(room.renewed, () => matter.reload())

  const chosen = shallowRef<Choice | null>(null)
  const filled = ref(nothingFilled())
  const lacks = ref<ReturnType<typeof lacking>>(null)
  const fault = ref<{ code: ActFault; words: string } | null>(null)
  const sending = ref(false)
  /** It is sent as soon as the photos are there. */
  const waiting = ref(false)
  /** What was sent, and got no answer. */
  const unsure = shallowRef<Choice | null>(null)
  /** Words of a form whose act can no longer be done, as somebody was quicker. */
  const kept = ref('')
  /** What was tapped and is not sent yet: it may be taken back. */
  const held = shallowRef<Choice | null>(null)
  /** Nobody sees this page any more. */
  let left = false
  let letGo: ((send: boolean) => void) | null = null
  let writing: Writing = { open: null, key: v4(), forms: {}, photos: [] }

  const withPhotos = (c: Choice) => c.needs.includes('evidence') || c.takes.includes('evidence')

  function quiet() {
    fault.value = null
    lacks.value = null
    waiting.value = false
    unsure.value = null
  }

  // What was written about a case comes back with it, and is not taken to another.
  watch(
    caseRef,
    ref => {
      letGo?.(true)
      chosen.value = null
      kept.value = ''
      quiet()
      photos.clear()
      writing = loadWriting(room.code, person, ref) ?? { open: null, key: v4(), forms: {}, photos: [] }
      photos.adopt(writing.photos)
    },
    { immediate: true },
  )
  watch(buttons, list => {
    const key = chosen.value?.key ?? writing.open
    const same = list.find(c => c.key === key)
    if (chosen.value) {
      if (!same) kept.value = filled.value.reason.trim()
      chosen.value = same ?? null
    } else if (same && detail.value) show(same)
  })
  watch(
    [chosen, filled, photos.ready],
    () => {
      if (chosen.value) writing.forms[chosen.value.key] = filled.value
      if (detail.value) writing.open = chosen.value?.key ?? null // before it is there the form cannot be either
      writing.photos = [...photos.ready.value]
      const empty = writing.open === null && writing.photos.length === 0 && Object.keys(writing.forms).length === 0
      storeWriting(room.code, person, caseRef(), empty ? null : writing)
    },
    { deep: true },
  )

  function show(choice: Choice) {
    filled.value = writing.forms[choice.key] ?? firstFilled(choice, detail.value!)
    if (!filled.value.reason) filled.value.reason = kept.value
    chosen.value = choice
  }

  /** What asks for nothing is done at once; else its form opens. */
  async function open(choice: Choice): Promise<void> {
    if (!detail.value || sending.value || held.value) return
    quiet()
    if (asksFirst(choice)) return show(choice)
    chosen.value = null
    if (on.hold) hold(choice, detail.value, on.hold)
    else await send(choice)
  }
  /** Whoever leaves meanwhile has not taken it back: it is sent then. */
  function hold(choice: Choice, seen: CaseDetail, ms: number) {
    held.value = choice
    const later = setTimeout(() => letGo?.(true), ms)
    letGo = sent => {
      clearTimeout(later)
      letGo = null
      held.value = null
      if (sent) void send(choice, seen)
    }
  }
  /** Puts the form away; what is in it is kept for when it opens again. */
  function close() {
    chosen.value = null
    quiet()
  }

  async function send(choice = chosen.value, seen = detail.value): Promise<void> {
    const d = seen
    if (!d || !choice || sending.value) return
    const form = asksFirst(choice) ? filled.value : nothingFilled()
    // Without a photo that was meant to come it is not what somebody wanted to send.
    if (withPhotos(choice) && photos.list.some(p => p.state === 'refused')) {
      waiting.value = false
      lacks.value = null
      fault.value = { code: 'other', words: t('matter.work.photoRefused') }
      return
    }
    // A photo on its way counts: what is missing is told before it is waited for.
    lacks.value = lacking(choice, form, d, photos.ready.value.length + (photos.busy.value ? 1 : 0))
    fault.value = null
    if (lacks.value) return
    if (withPhotos(choice) && photos.busy.value) {
      waiting.value = true
      return
    }
    waiting.value = false
    sending.value = true
    const params = { path: { case: d.ref } }
    const act = body(choice, form, d, writing.key, photos.ready.value)
    const post = () => ask(room.client.POST('/cases/{case}/acts', { params, body: act, keepalive: true }))
    const shown = () => !left && d.ref === caseRef()
    try {
      const after = await post()
      room.say(t('matter.work.doneSaid', { act: t(`matter.act.${choice.key}`) }))
      if (shown()) {
        writing = { open: null, key: v4(), forms: {}, photos: [] }
        chosen.value = null
        kept.value = ''
        if (withPhotos(choice)) photos.clear()
        quiet()
        matter.reload()
      }
      if (shown()) on.done?.(d, after, choice)
      on.changed?.()
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      if (shown()) failed(e, choice)
      else {
        on.changed?.()
        on.lost?.({ ref: d.ref, act: t(`matter.act.${choice.key}`), words: wordsOf(e), again: e.offline ? post : null })
      }
    } finally {
      sending.value = false
    }
  }

  function wordsOf(e: ApiError): string {
    const code = actFault(e)
    const told = code === 'other' ? serverWords(e, language.value) : null
    return told ?? t(`matter.fault.${code}`, { status: e.status })
  }
  function failed(e: ApiError, choice: Choice) {
    fault.value = { code: actFault(e), words: wordsOf(e) }
    unsure.value = e.offline ? choice : null
    // It was answered: what is sent next is something else.
    if (!e.offline) writing.key = v4()
    // What the page showed is not what there is: it shows what there is.
    if ([403, 404, 409].includes(e.status)) {
      matter.reload()
      on.changed?.()
    }
  }

  // What waits for its photos goes when they are there, what got no answer when the line stands again.
  watch(photos.busy, busy => {
    if (!busy && waiting.value) void send()
  })
  const again = () => {
    if (unsure.value && !sending.value) void send(unsure.value)
  }
  const leaves = () => letGo?.(true)
  window.addEventListener('online', again)
  window.addEventListener('pagehide', leaves)
  onScopeDispose(() => {
    left = true
    leaves()
    window.removeEventListener('online', again)
    window.removeEventListener('pagehide', leaves)
  })

  return {
    room,
    matter,
    detail,
    buttons,
    photos,
    chosen,
    filled,
    lacks,
    fault,
    sending,
    waiting,
    unsure,
    kept,
    held,
    /** What is not sent yet is not sent at all. */
    takeBack: () => letGo?.(false),
    open,
    close,
    send,
    again,
  }
}
