import type { components } from '../../shared/api/schema'
import type { Locale } from '../../shared/i18n/locale'
import { exchange, type Wire } from '../outbox/exchange'

export type PushState = components['schemas']['Push']

/** Whether this phone is told of notices: `off` can be turned on; `page`: here they stand on the page alone, and why. */
export type Told =
  | { is: 'on' }
  | { is: 'off'; key: string }
  | { is: 'page'; why: 'browser' | 'denied' | 'service' | 'line' }

const able = () => 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis

/** Looks, and says again to the service which device this is: so that it goes on with the session in force. */
export async function lookAtPush(wire: Wire, locale: Locale): Promise<Told> {
  if (!able()) return { is: 'page', why: 'browser' }
  if (Notification.permission === 'denied') return { is: 'page', why: 'denied' }
  const answer = await exchange(wire, 'GET', '/account/push')
  if (answer.is !== 'ok') return { is: 'page', why: answer.is === 'none' ? 'line' : 'service' }
  const push = answer.body as PushState
  if (!push.available || !push.key) return { is: 'page', why: 'service' }
  const worker = await navigator.serviceWorker.getRegistration('./')
  const there = await worker?.pushManager.getSubscription()
  if (!there) return { is: 'off', key: push.key }
  return (await name(wire, there, locale)) ? { is: 'on' } : { is: 'page', why: 'service' }
}

/** Asks the person, then the push service, then names the device to ours. */
export async function turnOnPush(wire: Wire, key: string, locale: Locale): Promise<Told> {
  if ((await Notification.requestPermission()) !== 'granted') return { is: 'page', why: 'denied' }
  try {
    const worker = await navigator.serviceWorker.ready
    const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
    if (await name(wire, made, locale)) return { is: 'on' }
    await made.unsubscribe()
    return { is: 'page', why: 'service' }
  } catch {
    return { is: 'page', why: 'browser' } // its push service cannot be reached
  }
}

/** Also where another person signs in: what was for the one before is not shown to the next. */
export async function turnOffPush(): Promise<void> {
  if (!able()) return
  const worker = await navigator.serviceWorker.getRegistration('./')
  await (await worker?.pushManager.getSubscription())?.unsubscribe()
}

async function name(wire: Wire, s: PushSubscription, language: Locale): Promise<boolean> {
  const { endpoint, keys } = s.toJSON()
  const answer = await exchange(wire, 'PUT', '/account/push', { endpoint, keys, language })
  return answer.is === 'ok'
}
