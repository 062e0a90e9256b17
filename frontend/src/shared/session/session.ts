import { type ComputedRef, computed, type InjectionKey, inject, readonly, ref, shallowRef } from 'vue'
import { ApiError, ask, type CityClient, cityClient, done } from '../api/client'
import type { Credentials, Session } from '../api/types'
import type { Action } from './roles'

/** Who is here in a city, and what they may do. Created once a city by CityRoot and handed down. */
export type SessionStore = ReturnType<typeof createSession>
const key: InjectionKey<SessionStore> = Symbol('session')
export const sessionKey = key

export function useSession(): SessionStore {
  const session = inject(key)
  if (!session) throw new Error('the session is provided by CityRoot')
  return session
}

/** Why the sign-in page shows: nobody has signed in yet, the person left, or the session ended by itself. */
export type Absence = 'new' | 'left' | 'ended'

const nobody = { signed_in: false, posts: [], allowed: [] }

export function createSession(
  code: string,
  makeClient: (refused: () => void) => CityClient = r => cityClient(code, r),
) {
  const client = makeClient(() => void check())
  const state = shallowRef<Session>()
  const error = shallowRef<ApiError>()
  const absence = ref<Absence>('new')
  /** Grows when somebody else is here than before: everything of the one before is dropped. */
  const reader = ref(0)
  /** Grows when the same person may do or see something else than before. */
  const rights = ref(0)

  let turn = 0
  let asking: Promise<void> | undefined
  let askedAgain = false

  function take(next: Session): void {
    const before = state.value
    state.value = next
    error.value = undefined
    if (!before) return
    if (before.signed_in && !next.signed_in && absence.value !== 'left') absence.value = 'ended'
    if (before.person?.id !== next.person?.id || before.signed_in !== next.signed_in) reader.value++
    else if (rightsOf(before) !== rightsOf(next)) rights.value++
  }

  /** Asks the service anew who is here. What is asked meanwhile is asked once more: the answer under way may be older. */
  function check(): Promise<void> {
    if (asking) {
      askedAgain = true
      return asking
    }
    asking = run().finally(() => {
      asking = undefined
    })
    return asking
  }
  async function run(): Promise<void> {
    do {
      askedAgain = false
      const mine = turn
      try {
        const next = await ask(client.GET('/session'))
        if (mine === turn) take(next)
      } catch (e) {
        if (!(e instanceof ApiError)) throw e
        if (mine === turn) error.value = e
      }
    } while (askedAgain)
  }

  const signIn = (body: Credentials) => open(client.POST('/session', { body }))
  /** The second factor of somebody for whom the city's identity provider has vouched. */
  const giveCode = (code: string) => open(client.POST('/session/oidc', { body: { code } }))
  async function open(asked: Parameters<typeof ask<Session>>[0]): Promise<void> {
    const next = await ask(asked)
    turn++
    absence.value = 'new'
    take(next)
  }

  async function signOut(): Promise<void> {
    await done(client.DELETE('/session'))
    turn++
    absence.value = 'left'
    take({ ...nobody, public_map: state.value?.public_map ?? false })
    void check() // how to sign in
  }

  /** Who was signed out by the service looks at what is open to anybody. */
  function lookOn(): void {
    if (absence.value === 'ended') absence.value = 'new'
  }

  const allowed: ComputedRef<Set<string>> = computed(() => new Set(state.value?.allowed))

  return {
    code,
    client,
    state: readonly(state) as Readonly<typeof state>,
    error: readonly(error) as Readonly<typeof error>,
    absence: readonly(absence),
    reader: readonly(reader),
    rights: readonly(rights),
    signedIn: computed(() => state.value?.signed_in ?? false),
    /** Nothing but the account may be used before something is done there. */
    held: computed(() => Boolean(state.value?.must_change_password || state.value?.needs_second_factor)),
    can: (action: Action): boolean => allowed.value.has(action),
    check,
    signIn,
    giveCode,
    signOut,
    lookOn,
  }
}

function rightsOf(s: Session): string {
  return JSON.stringify([s.posts, s.allowed, s.must_change_password, s.needs_second_factor])
}
