import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from './driver'

/** Long enough for a machine on which much else is done. */
const patient = 90_000
const dayMs = 86_400_000
/** YYYY-MM-DD in the city, days from today. */
const day = (days: number) =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(Date.now() + days * dayMs)

interface Shift {
  id: number
  person: { id: string; name: string }
  from: string
  to: string
  kind: string
}
interface Roster {
  shifts: Shift[]
  leaves: { person: { id: string }; granted: boolean }[]
}

let d: Driver
let unit = 0
const people: Record<string, { id: string; name: string }> = {}

beforeAll(async () => {
  d = await Driver.start()
  for (const login of ['unit_head', 'officer', 'auxiliary', 'duty_leader']) {
    const { person, posts } = await d.given.sessionOf(login)
    people[login] = person
    unit = posts[0].unit
  }
})
afterAll(() => d?.stop())

const path = (week?: string) => `/haining/team/${unit}${week ? `?week=${week}` : ''}`
const open = async (as: string, week?: string, more = {}) => {
  await d.given.visit(path(week), { as, ...more })
  await d.sees('the week', () => d.get.seen('week'), patient)
}
const roster = (from: number, to: number): Promise<Roster> =>
  d.get.jsonAs(`/teams/${unit}/roster?from=${day(from)}&to=${day(to)}`)
const says = (text: string) =>
  d.sees(text, async () => (await d.get.seen('notice')) && (await d.get.text('notice')).includes(text), patient)
const undo = async () => {
  await d.when.click('undo')
  await says('已撤销')
}

describe('a team', () => {
  it('has a roster that its head edits, with its holes told, and each act undone', async () => {
    const week = day(7)
    await open('unit_head', week)
    const { shifts } = await roster(8, 20)
    const shift = shifts.find(s => s.person.id === people.officer!.id && s.kind === 'duty')!
    await open('unit_head', day(Math.floor((Date.parse(shift.from) - Date.now()) / dayMs) + 1))
    const now = async () => (await roster(7, 21)).shifts.find(s => s.id === shift.id)

    // Changed, and put back.
    await d.sees('the shift', async () => (await d.get.count('shift')) > 0, patient)
    await d.when.openShift(shift.id)
    await d.when.pick('shift-kind', 'standby')
    await d.when.click('save-shift')
    await says('班次已改')
    expect((await now())?.kind).toBe('standby')
    await undo()
    expect((await now())?.kind).toBe('duty')

    // Taken off, and put back: another shift, at the same time.
    await d.when.openShift(shift.id)
    await d.when.click('remove-shift')
    await says('班次已取消')
    expect(await now()).toBeUndefined()
    await undo()
    const again = (await roster(7, 21)).shifts.find(s => s.from === shift.from && s.person.id === shift.person.id)
    expect(again?.to).toBe(shift.to)

    // The demo's night to Monday is a hole: told in words, and filled.
    await d.sees('the hole', () => d.get.seen('hole'), patient)
    await d.sees(
      'who answers then',
      async () => /无人值班，由负责人陈建军接办/.test(await d.get.text('findings')),
      patient,
    )
    const holes = await d.get.count('hole')
    await d.when.click('hole')
    await d.sees('the form', () => d.get.seen('shift-form'))
    await d.when.pick('shift-person', people.unit_head!.id)
    await d.when.pick('shift-kind', 'leader')
    await d.when.click('save-shift')
    await says('已排 1 个班')
    await d.sees('fewer holes', async () => (await d.get.count('hole')) < holes, patient)
    await undo()
    await d.sees('the hole again', async () => (await d.get.count('hole')) === holes, patient)
    expect(d.complaints).toEqual([])
  }, 300_000)

  it('swaps a shift by two people', async () => {
    await open('officer')
    const { shifts } = await roster(1, 25)
    const meets = (a: Shift, b: Shift) => a.from < b.to && b.from < a.to
    const other = people.duty_leader!
    const theirs = shifts.filter(s => s.person.id === other.id)
    const shift = shifts.find(
      s =>
        s.person.id === people.officer!.id && Date.parse(s.from) > Date.now() + dayMs && !theirs.some(x => meets(s, x)),
    )!
    const on = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(Date.parse(shift.from))
    await open('officer', on)
    await d.when.openShift(shift.id)
    await d.when.pick('swap-other', other.id)
    await d.when.click('ask-swap')
    await says('已请求换班')
    await d.sees('that it waits', async () => (await d.get.text('waiting-swap')).includes('您请周海波接班'), patient)

    await open('duty_leader')
    await d.sees('who asks', async () => (await d.get.text('waiting-swap')).includes('李正平请您接班'), patient)
    await d.when.click('accept-swap')
    await says('已换班')
    const held = (await roster(0, 26)).shifts.find(s => s.id === shift.id)
    expect(held?.person.id).toBe(other.id)
    expect(d.complaints).toEqual([])
  }, 200_000)

  it('is asked for leave, which is taken back, asked for again, granted and taken back by the head', async () => {
    const mine = async () => (await roster(38, 46)).leaves.filter(l => l.person.id === people.auxiliary!.id)
    await open('auxiliary')
    await d.when.click('open-leave')
    await d.when.type('leave-from', day(40))
    await d.when.type('leave-to', day(41))
    await d.when.click('save-leave')
    await says('已记下请假')
    await d.sees('that it waits', () => d.get.seen('asked-leave'), patient)
    await d.when.click('take-back-leave')
    await says('已收回请假')
    expect(await mine()).toEqual([])
    await undo()
    expect((await mine()).map(l => l.granted)).toEqual([false])

    await open('unit_head')
    await d.when.click('grant-leave')
    await says('已准假')
    await d.sees('that it is granted', () => d.get.seen('granted-leave'), patient)
    await d.when.click('take-back-leave')
    await says('已收回请假')
    expect(await mine()).toEqual([])
    await undo()
    expect((await mine()).map(l => l.granted)).toEqual([true])
    expect(d.complaints).toEqual([])
  }, 200_000)

  it('gives a calendar’s address once, and another, with which the first ends', async () => {
    await open('officer')
    await d.when.click('make-calendar')
    const first = await d.sees('the address', async () => (await d.get.seen('secret')) && d.get.text('secret'), patient)
    const read = await d.get.fetched(first)
    expect(read.status).toBe(200)
    expect(read.text).toContain('BEGIN:VCALENDAR')
    await d.when.click('secret-kept')
    await d.sees('since when there is one', async () => (await d.get.text('calendar-state')).includes('地址生成于'))
    expect(await d.get.body()).not.toContain(first)
    await d.when.click('renew-calendar')
    await d.when.click('renew-calendar-sure')
    const second = await d.sees('another address', async () => (await d.get.seen('secret')) && d.get.text('secret'))
    expect(second).not.toBe(first)
    expect((await d.get.fetched(first)).status).toBe(404)
    expect((await d.get.fetched(second)).status).toBe(200)
    expect(d.complaints).toEqual([])
  }, 200_000)

  it('sees who is on duty where, as far as they agree', async () => {
    await d.given.onDuty('officer')
    await open('officer', undefined, { here: { lon: 120.34, lat: 30.42 } })
    await d.sees('what is asked', () => d.get.seen('consent'), patient)
    expect(await d.get.seen('positions')).toBe(false)
    await d.when.check('consent')
    await d.sees('that it is told', async () => (await d.get.text('share-state')).includes('最后位置'), patient)

    await open('unit_head')
    await d.sees('who was seen', async () => (await d.get.texts('position-row')).join().includes('李正平'), patient)
    await d.when.click('position-row')
    await d.sees('where', () => d.get.seen('small-map'), patient)

    // Withdrawn on the page for who is out: it is deleted.
    await d.given.visit('/haining/duty', { as: 'officer' })
    await d.sees('what was agreed to', () => d.get.seen('consent'), patient)
    await d.when.click('consent')
    await d.sees('that nothing is kept', async () => (await d.get.text('share-state')).includes('没有保存'), patient)
    await open('unit_head')
    await d.sees('that there is nothing', () => d.get.seen('no-positions'), patient)
    expect(d.complaints).toEqual([])
  }, 200_000)

  it('has vehicles, skills and hours that its head edits, each undone', async () => {
    await open('unit_head')
    await d.sees('its vehicles', () => d.get.seen('vehicle'), patient)
    const vehicles = await d.get.count('vehicle')
    await d.when.click('add-vehicle')
    await d.when.click('save-vehicle')
    await d.sees('what is missing', () => d.get.seen('vehicle-problem'))
    await d.when.type('vehicle-plate', '浙F12345')
    await d.when.click('save-vehicle')
    await says('已添加车辆 浙F12345')
    await d.sees('one more', async () => (await d.get.count('vehicle')) === vehicles + 1, patient)
    await undo()
    await d.sees('as many as before', async () => (await d.get.count('vehicle')) === vehicles, patient)

    await d.when.clickIn('member', '李正平', 'edit-skills')
    await d.sees('the form', () => d.get.seen('skills-form'))
    await d.when.check('skill-law')
    await d.when.type('own-skills', '会说海宁话，潜水')
    await d.when.click('save-skills')
    await says('技能已改')
    const skills = async () =>
      (await d.get.jsonAs(`/teams/${unit}`)).members.find(
        (m: { person: { id: string } }) => m.person.id === people.officer!.id,
      ).skills
    expect(await skills()).toEqual(expect.arrayContaining(['law', '潜水', '会说海宁话']))
    await undo()
    expect(await skills()).not.toContain('潜水')

    await d.when.pick('team-hours', 'work')
    await says('值班时间已改')
    await undo()
    expect((await d.get.jsonAs(`/teams/${unit}`)).hours).toBe('always')
    expect(await d.get.text('forces')).toMatch(/核心力量[\s\S]*网格力量[\s\S]*X 力量/)
    expect(d.complaints).toEqual([])
  }, 200_000)

  it('is reached from a case, whose officers are proposed with why', async () => {
    const town = (await d.given.sessionOf('unit_head')).posts[0].area.code
    const { reports } = await d.get.json(`/reports?town=${town}&method=inside&limit=1`)
    const num = await d.given.filed('无证经营', { lon: reports[0].lon, lat: reports[0].lat }, undefined, '12')
    await d.given.done(num, { act: 'accept' })
    await d.given.done(num, { act: 'file' })
    await d.given.done(num, { act: 'dispatch', unit, reason: '归该队' })
    await d.given.visit(`/haining/case/${num}`, { as: 'duty_leader' })
    for (const step of ['act-receive', 'act-begin']) {
      await d.sees(step, () => d.get.seen(step), patient)
      await d.when.click(step)
    }
    await d.sees(
      'the form',
      async () => {
        if (!(await d.get.seen('act-measure'))) await d.when.click('act-feed_back')
        return d.get.seen('act-measure')
      },
      patient,
    )
    await d.when.pick('act-measure', 'inspected')
    await d.sees('the officers', async () => (await d.get.count('officer')) >= 2, patient)
    for (const told of await d.get.texts('officer')) expect(told).toMatch(/(在岗|请假)，手头/)
    expect(await d.get.serious()).toEqual([])
    await d.when.click('to-team')
    await d.sees('the team', () => d.get.seen('members'), patient)
    expect(await d.get.path()).toBe(path())
    expect(d.complaints).toEqual([])
  }, 200_000)

  it.each([
    ['dark', 'en', 390],
    ['light', 'zh', 390],
    ['light', 'en', 1440],
    ['dark', 'zh', 1440],
  ] as const)(
    'has nothing serious for axe, and fits: %s %s %d px',
    async (theme, locale, width) => {
      await open('unit_head', undefined, { theme, locale, size: { width, height: 844 } })
      await d.sees('the helpers', () => d.get.seen('departments'), patient)
      await d.when.click('villages')
      expect(await d.get.serious()).toEqual([])
      expect(await d.get.wider()).toBe(0)
      if (width < 600) expect(await d.get.small()).toEqual([])
      await d.when.click('edit-skills')
      await d.sees('the form', () => d.get.seen('skills-form'))
      expect(await d.get.serious()).toEqual([])
      expect(await d.get.wider()).toBe(0)
    },
    200_000,
  )
})

describe('a post', () => {
  it('says as what an officer is stationed', async () => {
    const { person } = await d.given.sessionOf('stationed_officer')
    await d.given.visit(`/haining/people?person=${person.id}`, { as: 'administrator' })
    await d.sees('the post', () => d.get.seen('change-post'), patient)
    await d.when.click('change-post')
    await d.when.pick('post-station', 'assistant_director')
    await d.when.click('save-post')
    await d.sees('as what', async () => (await d.get.text('post-stationed')) === '驻村主任助理', patient)
    await d.when.click('undo')
    await d.sees('as what before', async () => (await d.get.text('post-stationed')) === '驻村副书记', patient)
    expect(d.complaints).toEqual([])
  }, 200_000)
})
