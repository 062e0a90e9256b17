import { ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { dropDraft } from '../center/draft'
import { dropWritings } from '../matter/drafts'
import { ApiError } from '../shared/api/client'
import { useSession } from '../shared/session/session'

/** Signing out, and why it did not work. */
export function useLeave() {
  const { t } = useI18n()
  const session = useSession()
  const leaving = ref(false)
  const failure = ref('')

  async function leave(): Promise<boolean> {
    leaving.value = true
    failure.value = ''
    const person = session.state.value?.person?.id
    try {
      await session.signOut()
      if (person) {
        dropDraft(session.code, person)
        dropWritings(session.code, person)
      }
      return true
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      failure.value = t('session.signOutFailed')
      return false
    } finally {
      leaving.value = false
    }
  }
  return { leave, leaving, failure }
}
