import { onScopeDispose, type ShallowRef, shallowReadonly, shallowRef } from 'vue'
import type { ApiError } from '../shared/api/client'
import type { MaskedReporter } from '../shared/api/types'

/** How many characters the reason has to have and may have for which a person is shown in full. */
export const reasonLength = { min: 3, max: 500 } as const
/** How long a person is shown in full. */
export const shownMs = 120_000

/** What is known of who told a report. */
export function told(m: MaskedReporter | undefined): 'nobody' | 'erased' | 'sealed' | 'masked' {
  if (m?.erased) return 'erased'
  if (!m?.known) return 'nobody'
  return m.name || m.phone || m.email || m.home ? 'masked' : 'sealed'
}

/** What is wrong with a reason, as the service would say. */
export function reasonFault(reason: string): 'required' | 'too_long' | null {
  const n = [...reason.trim()].length
  if (n < reasonLength.min) return 'required'
  return n > reasonLength.max ? 'too_long' : null
}

const faults = ['required', 'too_long', 'key_missing', 'person_erased', 'not_allowed'] as const
export type UnmaskFault = (typeof faults)[number] | 'offline' | 'other'

/** Why a person was not shown. */
export function unmaskFault(e: ApiError): UnmaskFault {
  if (e.offline) return 'offline'
  return faults.find(f => f === e.problem.code) ?? 'other'
}

export const phoneLink = (phone: string) => `tel:${phone.replace(/[^\d+]/g, '')}`
/** An address may not add a subject or other receivers to the link. */
export const mailLink = (email: string) => `mailto:${encodeURIComponent(email).replace('%40', '@')}`

/** Keeps something for a time only, and not beyond the scope. By the clock: a machine that slept shows it no longer. */
export function useBriefly<T>(ms: number, over: () => void): Briefly<T> {
  const value = shallowRef<T | null>(null)
  let timer: ReturnType<typeof setInterval> | undefined
  function hide() {
    clearInterval(timer)
    value.value = null
  }
  function show(what: T) {
    hide()
    value.value = what
    const end = Date.now() + ms
    timer = setInterval(() => {
      if (Date.now() < end) return
      hide()
      over()
    }, 1000)
  }
  onScopeDispose(hide)
  return { value: shallowReadonly(value) as Readonly<ShallowRef<T | null>>, show, hide }
}

export interface Briefly<T> {
  value: Readonly<ShallowRef<T | null>>
  show: (what: T) => void
  hide: () => void
}
