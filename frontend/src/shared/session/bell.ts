import { computed, type InjectionKey, inject, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { ApiError, ask, done } from '../api/client'
import { Live } from '../api/live'
import type { Notice } from '../api/types'
import type { SessionStore } from './session'

/** What the person was told of clocks that run out. Created once a city by CityRoot and handed down. */
export type BellStore = ReturnType<typeof createBell>
const key: InjectionKey<BellStore> = Symbol('bell')
export const bellKey = key

export function useBell(): BellStore {
  const bell = inject(key)
  if (!bell) throw new Error('the bell is provided by CityRoot')
  return bell
}

/** Between two looks where nothing tells of news. */
const lookEach = 60_000
const page = 30

/** `follows` tells whether the page that shows has a line to the feed of its own, and rings the bell. */
export function createBell(session: SessionStore, follows: () => boolean) {
  const notices = shallowRef<readonly Notice[]>()
  const unread = ref(0)
  const next = ref<number>()
  const error = shallowRef<ApiError>()
  const loading = ref(false)
  const active = computed(() => session.signedIn.value && !session.held.value)
  let turn = 0

  /** Reads the newest notices anew. */
  async function load(): Promise<void> {
    if (!active.value) return
    const mine = ++turn
    loading.value = true
    try {
      const got = await ask(session.client.GET('/notices', { params: { query: { limit: page } } }))
      if (mine !== turn) return
      // Who has read on keeps what is there, unless so much is new that it does not follow.
      const was = notices.value ?? []
      const follows = was.findIndex(n => n.id === got.notices.at(-1)?.id)
      const older = follows < 0 ? [] : was.slice(follows + 1)
      notices.value = [...got.notices, ...(got.unread > 0 ? older : older.map(n => ({ ...n, read: true })))]
      unread.value = got.unread
      if (older.length === 0) next.value = got.next
      error.value = undefined
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      if (mine === turn) error.value = e
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  /** Reads the page after those that are there. */
  async function more(): Promise<void> {
    const before = next.value
    if (before === undefined || loading.value) return
    const mine = ++turn
    loading.value = true
    try {
      const got = await ask(session.client.GET('/notices', { params: { query: { limit: page, before } } }))
      if (mine !== turn) return
      notices.value = [...(notices.value ?? []), ...got.notices]
      unread.value = got.unread
      next.value = got.next
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      if (mine === turn) error.value = e
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  /** Marks one, or all that are there, as read: at once on the page, and back where the service refuses. */
  async function read(one?: Notice): Promise<void> {
    const list = notices.value ?? []
    const upTo = list[0]?.id
    if (upTo === undefined) return
    const before = { notices: list, unread: unread.value }
    notices.value = list.map(n => (!one || n.id === one.id ? { ...n, read: true } : n))
    unread.value = one ? Math.max(0, unread.value - (one.read ? 0 : 1)) : 0
    try {
      await done(session.client.POST('/notices/read', { body: one ? { ids: [one.id] } : { up_to: upTo } }))
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      notices.value = before.notices
      unread.value = before.unread
      error.value = e
    }
  }

  const ring = () => void load()
  const live = new Live(`/${session.code}/v1/events`, {
    state(s) {
      if (s === 'live') ring()
    },
    event(type) {
      if (type === 'notice.made' || type === 'reset') ring()
    },
  })
  watch(
    [session.reader, active],
    () => {
      turn++
      notices.value = undefined
      unread.value = 0
      next.value = undefined
      error.value = undefined
      ring()
    },
    { immediate: true },
  )
  // One line to the feed is enough: the browser has six to a host.
  watch(
    () => active.value && session.can('report.view') && !follows(),
    listens => (listens ? live.start() : live.stop()),
    { immediate: true },
  )
  const clock = setInterval(() => {
    if (document.visibilityState === 'visible') ring()
  }, lookEach)
  onScopeDispose(() => {
    clearInterval(clock)
    live.stop()
  })

  return { notices, unread, next, error, loading, active, load, more, read, ring }
}
