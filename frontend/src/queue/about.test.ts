import { describe, expect, it } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { ApiError } from '../shared/api/client'
import { useAbout } from './about'

const settled = () => new Promise(done => setTimeout(done))

describe('what is told of the open case', () => {
  it('is never what was told of another', async () => {
    const open = ref<string | null>('1')
    const under: ((answer: string | ApiError) => void)[] = []
    const about = effectScope().run(() =>
      useAbout(
        () => open.value,
        () =>
          new Promise<string>((done, fail) =>
            under.push(answer => (answer instanceof ApiError ? fail(answer) : done(answer))),
          ),
      ),
    )!
    under[0]!('of 1')
    await settled()
    expect(about.data.value).toBe('of 1')
    open.value = '2'
    expect(about.data.value).toBeUndefined() // at once, before anything is asked
    await nextTick()
    under[1]!(new ApiError(500, {}))
    await settled()
    expect([about.data.value, about.error.value?.status]).toEqual([undefined, 500])
    open.value = '1'
    await nextTick()
    under[2]!('of 1, anew')
    await settled()
    expect(about.data.value).toBe('of 1, anew')
  })
})
