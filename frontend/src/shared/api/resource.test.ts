import { describe, expect, it } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { ApiError } from './client'
import { useResource } from './resource'

const settled = () => new Promise(done => setTimeout(done))
const later = () => new Promise(done => setTimeout(done, 20))

function given(answers: (string | ApiError)[]) {
  const question = ref<number | null>(1)
  const scope = effectScope()
  const resource = scope.run(() =>
    useResource(
      () => question.value,
      async () => {
        const next = answers.shift()!
        await settled()
        if (next instanceof ApiError) throw next
        return next
      },
    ),
  )!
  return { question, resource, scope }
}

describe('what a pane shows', () => {
  it('stays while newer is under way', async () => {
    const { question, resource } = given(['one', 'two'])
    await later()
    question.value = 2
    await nextTick()
    expect([resource.data.value, resource.stale.value]).toEqual(['one', true])
    await later()
    expect([resource.data.value, resource.stale.value]).toEqual(['two', false])
  })

  it.each([
    [500, 'one'],
    [0, 'one'],
    [401, undefined],
    [403, undefined],
    [404, undefined],
  ])('after %d is: %s', async (status, shown) => {
    const { resource } = given(['one', new ApiError(status, {})])
    await later()
    resource.reload()
    await later()
    expect(resource.data.value).toBe(shown)
    expect(resource.error.value?.status).toBe(status)
  })

  it('is forgotten at once when it is dropped', async () => {
    const { resource } = given(['one', 'two'])
    await later()
    resource.drop()
    expect(resource.data.value).toBeUndefined()
    await later()
    expect(resource.data.value).toBe('two')
  })
})
