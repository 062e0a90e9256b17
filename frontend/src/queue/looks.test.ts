import { describe, expect, it } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { useLooks } from './looks'

const settled = () => new Promise(done => setTimeout(done))

function given() {
  const loading = ref(false)
  const asked: number[][] = []
  const under: (() => void)[] = []
  let anew = 0
  const scope = effectScope()
  const looks = scope.run(() =>
    useLooks(
      loading,
      nums => {
        asked.push(nums)
        return new Promise(done => under.push(done))
      },
      () => {
        anew++
      },
    ),
  )!
  return { loading, asked, under, looks, scope, anew: () => anew }
}

describe('looks at what changed', () => {
  it('come one after the other', async () => {
    const { asked, under, looks } = given()
    looks.add([1])
    looks.add([2])
    looks.add([3, 2])
    expect(asked).toEqual([[1]])
    under[0]!()
    await settled()
    expect(asked).toEqual([[1], [2, 3]])
  })

  it('wait while everything is asked for anew', async () => {
    const { loading, asked, looks } = given()
    loading.value = true
    await nextTick()
    looks.add([1])
    expect(asked).toEqual([])
    loading.value = false
    await nextTick()
    expect(asked).toEqual([[1]])
  })

  it('do not begin everything again before it came, and once then', async () => {
    const { loading, looks, anew } = given()
    loading.value = true
    await nextTick()
    looks.again()
    looks.again()
    expect(anew()).toBe(0)
    loading.value = false
    await nextTick()
    expect(anew()).toBe(1)
  })

  it('end with the page', async () => {
    const { asked, under, looks, scope } = given()
    looks.add([1])
    looks.add([2])
    scope.stop()
    under[0]!()
    await settled()
    expect(asked).toEqual([[1]])
  })
})
