import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Driver } from './driver'

let d: Driver
beforeAll(async () => {
  d = await Driver.start()
  await d.given.regime()
})
afterAll(() => d?.stop())
/** What the browser says by itself of answers that a test provokes. */
const provoked = /Failed to load resource/
afterEach(() => {
  expect(d.complaints.splice(0).filter(c => !provoked.test(c))).toEqual([])
  expect(d.foreign.splice(0)).toEqual([])
})

const phone = { width: 390, height: 844 }
const village = '330481103200'
const open = async (path: string, as: string | null = 'administrator', reader = {}) => {
  await d.given.visit(`/haining/${path}`, { as, ...reader })
}
const notice = (words: string) => async () =>
  (await d.get.seen('notice')) && (await d.get.text('notice')).includes(words)
const row = async (code: string) => (await d.get.texts('item-row')).find(text => text.startsWith(code)) ?? ''
const state = (words: string) => async () => (await d.get.text('document-state')).includes(words)

describe('the one-stop list', () => {
  beforeEach(() => d.given.noDraft('catalogue'))

  it('is changed as a draft, undone, checked, published and compared', async () => {
    await open('list')
    await d.sees('the items', async () => (await d.get.count('item-row')) >= 16)
    const next = String((await d.get.count('item-row')) + 1)
    expect(await d.get.serious()).toEqual([])
    await d.when.clickIn('item-row', '露天焚烧', 'open-item')
    await d.sees('the form', () => d.get.seen('item-form'))
    expect(await d.get.serious()).toEqual([])
    await d.when.type('item-first', 'soon')
    await d.sees('that it is no limit', async () => (await d.get.text('item-first-means')).includes('认不出'))
    await d.when.click('put-item')
    expect(await row('01')).toContain('分钟')
    await d.when.type('item-first', '45 min')
    expect(await d.get.text('item-first-means')).toBe('即：45 分钟')
    await d.when.click('put-item')
    await d.sees('the new limit', async () => (await row('01')).includes('45 分钟'))
    await d.sees('that it is not saved', () => d.get.seen('dirty'))
    await d.when.click('undo-edit')
    await d.sees('the old limit', async () => !(await row('01')).includes('45 分钟'))
    await d.when.click('redo-edit')
    await d.sees('the new limit', async () => (await row('01')).includes('45 分钟'))

    // A new item in a new aspect.
    await d.when.click('close-item')
    await d.when.click('add-aspect')
    await d.when.type('aspect-name', '水电')
    await d.when.click('save-aspect')
    await d.when.clickIn('aspect', '水电', 'add-item')
    await d.when.type('item-name', '路灯不亮')
    await d.when.type('item-disposal', '抢修/Repair 4 wh; 恢复/Restore 1 wd')
    expect(await d.get.text('item-disposal-means')).toBe('即：抢修 4 工作时；恢复 1 工作日')
    await d.when.click('put-item')
    await d.sees('the item', async () => (await row(next)).includes('路灯不亮'))
    await d.when.click('item-up')
    expect(await row(next)).toContain('抢修 4 工作时')

    // Who would leave is asked first, and stays.
    await d.when.click('workspace-rules')
    expect(await d.get.path()).toBe('/haining/list')
    await d.when.click('save-draft')
    await d.sees('that it is saved', notice('草稿已保存'))
    await d.sees('what was found', async () => (await d.get.text('findings')).includes('草稿检查'))
    expect(await d.get.enabled('publish')).toBe(true)
    await d.when.click('versions')
    await d.sees('what differs', async () => (await d.get.text('diff')).includes('路灯不亮'))
    expect(await d.get.text('diff')).toContain('45 分钟')
    expect(await d.get.serious()).toEqual([])
    await d.when.click('publish')
    await d.when.click('publish-sure')
    await d.sees('that it is in force', notice('已发布，现在生效'))
    await d.sees('no draft', state('现行'))

    await open('one-stop', null)
    await d.sees('it is public', async () => (await d.get.body()).includes('路灯不亮'))
    expect(await d.get.serious()).toEqual([])
  })

  it('goes out as a table and comes back line by line', async () => {
    await open('list')
    await d.sees('the items', () => d.get.seen('items'))
    const table = await d.when.download('export-csv')
    expect(table).toContain('首次响应')
    await d.when.click('import-table')
    await d.when.upload(
      'table-file',
      'list.csv',
      table.replace('餐饮油烟、露天烧烤', '油烟与烧烤').replace(/^02,.*\r\n/m, ''),
    )
    await d.sees('what it would change', async () => (await d.get.text('table-diff')).includes('油烟与烧烤'))
    expect(await d.get.text('table-diff')).toContain('删去')
    expect(await d.get.serious()).toEqual([])
    await d.when.upload('table-file', 'list.csv', table.replace(/\d+ min/, 'soon'))
    await d.sees('the line that is wrong', async () => (await d.get.text('bad-lines')).includes('第 2 行'))
    expect(await d.get.seen('take-table')).toBe(false)
    await d.when.upload('table-file', 'list.csv', table.replace('餐饮油烟、露天烧烤', '油烟与烧烤'))
    await d.sees('what it would change', () => d.get.seen('take-table'))
    await d.when.click('take-table')
    await d.sees('it is taken', async () => (await row('03')).includes('油烟与烧烤'))
    await d.when.click('undo')
    await d.sees('it is undone', async () => (await row('03')).includes('餐饮油烟'))
    // What was removed is told by its name, and comes back.
    await d.when.clickIn('item-row', '餐饮油烟', 'open-item')
    await d.when.click('drop-item')
    await d.sees('what was removed', notice('已删去：03 餐饮油烟'))
    expect(await row('03')).toBe('')
    await d.when.click('undo')
    await d.sees('it is there again', async () => (await row('03')).includes('餐饮油烟'))
    expect(await d.get.seen('notice')).toBe(false)
  })

  it('is not saved over what somebody else has saved', async () => {
    await open('list')
    await d.sees('the items', () => d.get.seen('items'))
    const change = async (first: string) => {
      await d.when.clickIn('item-row', '消费投诉', 'open-item')
      await d.when.type('item-first', first)
      await d.when.click('put-item')
    }
    await change('2 wd')
    await d.when.click('save-draft')
    await d.sees('that it is saved', notice('草稿已保存'))
    // Changed here first: a page with nothing to lose takes what others saved when it next asks, which it does after saving.
    await change('3 wd')
    await d.when.saveElsewhere('catalogue')
    await d.when.click('save-draft')
    await d.sees('that it is not', async () => (await d.get.text('document-problem')).includes('别人已保存'))
    expect(await row('09')).toContain('3 工作日')
    await d.when.click('take-theirs')
    await d.sees('theirs', async () => (await row('09')).includes('2 工作日'))
    await d.when.click('discard')
    await d.when.click('discard-sure')
    await d.sees('the list in force', state('现行'))
  })

  it('drops with all else what was half typed', async () => {
    await d.given.draft('catalogue', list => {
      list.steps.dispatch = '3 wd'
    })
    await open('list')
    await d.sees('the items', () => d.get.seen('items'))
    await d.when.click('other-limits')
    await d.when.type('step-dispatch', '4 w')
    await d.sees('that it is no limit', async () => (await d.get.text('step-dispatch-means')).includes('认不出'))
    await d.when.click('discard')
    await d.when.click('discard-sure')
    await d.sees('the list in force', state('现行'))
    await d.sees('its limit', async () => !(await d.get.text('step-dispatch-means')).includes('认不出'))
    expect(await d.get.value('step-dispatch')).not.toMatch(/4 w$|3 wd/)
  })

  it('is read by everybody who works here, on a phone too', async () => {
    await open('list', 'grid_worker', { size: phone, locale: 'en', theme: 'dark' })
    await d.sees('the items', () => d.get.seen('items'))
    for (const name of ['save-draft', 'import-table', 'add-aspect', 'publish'])
      expect(await d.get.seen(name)).toBe(false)
    expect(await d.get.wider()).toBe(0)
    expect(await d.get.serious()).toEqual([])
    await d.when.click('open-item')
    await d.sees('its facts', async () => (await d.get.text('item-facts')).includes('When to whistle'))
    expect(await d.get.body()).not.toMatch(/露天焚烧/)
  })
})

describe('the rules of assignment', () => {
  beforeEach(() => d.given.noDraft('rules'))
  const rules = () => d.get.texts('rule-row')

  it('are added, moved by the keyboard, checked and published', async () => {
    await open('rules')
    await d.sees('the page', () => d.get.seen('add-rule'))
    await d.sees('what falls through', () => d.get.seen('through'))
    const before = (await rules()).length
    await d.when.click('add-rule')
    await d.sees('the form', () => d.get.seen('rule-form'))
    expect(await d.get.serious()).toEqual([])
    await d.when.click('put-rule')
    await d.sees('the rule', async () => (await rules()).length === before + 1)
    await d.when.click('add-rule')
    await d.when.click('rule-items')
    await d.when.check('rule-item-07')
    await d.when.type('area-search', '长安')
    await d.sees('the town', () => d.get.seen('area-option'))
    await d.when.press('Enter')
    await d.sees('it is chosen', () => d.get.seen('rule-area'))
    await d.when.type('lead', '指挥')
    await d.sees('a unit', () => d.get.seen('lead-option'))
    await d.when.takeCandidate('lead')
    expect(await d.get.value('lead')).toBe('指挥')
    await d.when.press('Enter')
    await d.sees('it is chosen', async () => (await d.get.value('lead')) === '')
    await d.when.pick('rule-hours', 'off')
    await d.when.click('put-rule')
    await d.sees('it is there', async () => (await rules())[before + 1]?.includes('长安镇'))
    await d.when.click('close-rule')
    await d.when.click('save-draft')
    await d.sees('that it is never reached', async () =>
      (await d.get.texts('rule-finding')).some(f => f.includes('轮不到')),
    )
    // Moved up by its button, it keeps the focus.
    await d.when.clickIn('rule-row', '长安镇', 'rule-up')
    await d.sees('it comes first', async () => (await rules())[before]?.includes('长安镇'))
    expect(await d.get.focused()).toBe('rule-up')
    await d.when.click('save-draft')
    await d.sees('nothing is found', async () => !(await d.get.seen('rule-finding')) && !(await d.get.seen('dirty')))
    expect(await d.get.serious()).toEqual([])
    await d.when.click('publish')
    await d.when.click('publish-sure')
    await d.sees('they are in force', state('现行'))
    await open('rules', 'grid_worker', { size: phone })
    await d.sees('the rules', async () => (await rules()).length === before + 2)
    expect(await d.get.seen('add-rule')).toBe(false)
    expect(await d.get.wider()).toBe(0)
  })

  it('stay in the drawer when they are saved, though another says the same', async () => {
    const twin = { items: ['05'], lead: { kind: 'town_team' } }
    await d.given.draft('rules', content => {
      content.rules = [twin, { ...twin, hours: 'off' }, twin]
    })
    await open('rules')
    await d.sees('the rules', async () => (await rules()).length === 3)
    await d.when.clickAfter(2, 'edit-rule')
    await d.sees('the last', async () => (await d.get.text('rule-title')) === '第 3 条')
    await d.when.clickAfter(0, 'rule-down')
    await d.when.click('save-draft')
    await d.sees('that it is saved', async () => !(await d.get.seen('dirty')))
    expect(await d.get.text('rule-title')).toBe('第 3 条')
  })
})

describe('the working calendar', () => {
  beforeEach(() => d.given.noDraft('calendar'))

  it('takes China’s holidays, days by hand and tables, and says which years it knows', async () => {
    await open('calendar')
    await d.sees('the months', () => d.get.seen('months'))
    expect(await d.get.serious()).toEqual([])
    await d.when.click('take-china')
    await d.sees('they are taken', async () => (await d.get.look('2026-02-17')) === 'holiday')
    expect(await d.get.look('2026-02-14')).toBe('workday')
    await d.sees('the year is known', () => d.get.seen('year-known'))
    await d.when.day('2026-12-24')
    await d.when.check('day-hours')
    await d.when.click('put-day')
    await d.sees('that hours are missing', () => d.get.seen('day-problem'))
    await d.when.press('Escape')
    await d.when.day('2026-12-24')
    await d.when.check('day-holiday')
    await d.when.type('day-name', '平安日')
    await d.when.click('put-day')
    await d.sees('it is a holiday', async () => (await d.get.look('2026-12-24')) === 'holiday')
    await d.when.click('undo-edit')
    await d.sees('it is none', async () => (await d.get.look('2026-12-24')) === 'work')
    await d.when.click('close-day')
    await d.when.upload('days-file', 'days.csv', 'date,kind,name,name_en,hours\n2027-01-01,holiday,元旦,New Year,\n')
    await d.sees('the year of the table', async () => (await d.get.look('2027-01-01')) === 'holiday')
    await d.when.click('year-after')
    await d.sees('that it is not known', async () => (await d.get.text('year-unknown')).includes('2028'))
    // What was typed goes with the edit that is undone, and comes back with it.
    await d.when.type('hours-sat', '9:00-12:00')
    await d.when.click('undo-edit')
    await d.sees('no hours', async () => (await d.get.value('hours-sat')) === '')
    await d.when.click('redo-edit')
    await d.sees('the hours', async () => (await d.get.value('hours-sat')) === '9:00-12:00')
    await d.when.click('save-draft')
    await d.sees('that it is saved', notice('草稿已保存'))
    await d.when.click('versions')
    await d.sees('what differs', async () => (await d.get.text('diff')).includes('星期六'))
    await d.when.click('discard')
    await d.when.click('discard-sure')
    await d.sees('the calendar in force', state('现行'))
  })

  it('drops with all else what was half typed, in a drawer too', async () => {
    await open('calendar')
    await d.sees('the months', () => d.get.seen('months'))
    const before = await d.get.value('hours-mon')
    await d.when.type('hours-sat', '9:00-12:00')
    await d.when.type('hours-mon', '9:00-')
    await d.when.day('2026-12-24')
    await d.when.check('day-hours')
    await d.when.click('discard')
    await d.when.click('discard-sure')
    await d.sees('nothing is left to save', async () => !(await d.get.seen('dirty')))
    expect([await d.get.value('hours-mon'), await d.get.value('hours-sat')]).toEqual([before, ''])
    expect(await d.get.enabled('put-day')).toBe(false)
    // So it is with a draft that was saved.
    await d.when.click('close-day')
    await d.when.type('hours-sat', '9:00-12:00')
    await d.when.click('save-draft')
    await d.sees('that it is saved', notice('草稿已保存'))
    await d.when.type('hours-mon', '9:00-')
    await d.when.click('discard')
    await d.when.click('discard-sure')
    await d.sees('the calendar in force', state('现行'))
    expect([await d.get.value('hours-mon'), await d.get.value('hours-sat')]).toEqual([before, ''])
  })

  it('is read on a phone, and walked through by keys', async () => {
    await open('calendar', 'desk', { locale: 'en', theme: 'dark', size: phone })
    await d.sees('the months', () => d.get.seen('months'))
    expect(await d.get.seen('take-china')).toBe(false)
    expect(await d.get.wider()).toBe(0)
    expect(await d.get.serious()).toEqual([])
    const year = (await d.get.text('year')).trim()
    await d.when.day(`${year}-03-04`)
    await d.sees('the day', () => d.get.seen('day'))
    await d.when.press('Escape')
    await d.sees('the day has the focus again', async () => (await d.get.focusedDate()) === `${year}-03-04`)
    await d.when.press('ArrowDown')
    await d.sees('a week later', async () => (await d.get.focusedDate()) === `${year}-03-11`)
    await d.when.press('ArrowLeft')
    await d.sees('a day before', async () => (await d.get.focusedDate()) === `${year}-03-10`)
    await d.when.press('Enter')
    await d.sees('that day', async () => (await d.get.text('day')).includes(`${year}-03-10`))
  })
})

describe('what a draft would do', () => {
  beforeEach(async () => {
    for (const kind of ['catalogue', 'rules', 'calendar']) await d.given.noDraft(kind)
  })
  const counted = async () => (await d.get.seen('effect-summary')) && !(await d.get.seen('effect-busy'))

  it('is counted for rules, from unit to unit, listed, narrowed and kept as a table', async () => {
    await open('rules')
    await d.sees('the page', () => d.get.seen('add-rule'))
    expect(await d.get.seen('effect')).toBe(false)
    await d.when.click('add-rule')
    await d.when.click('rule-items')
    await d.when.check('rule-item-12')
    await d.when.type('lead', '指挥')
    await d.sees('a unit', () => d.get.seen('lead-option'))
    await d.when.press('Enter')
    await d.when.click('put-rule')
    // It decides before all others.
    while ((await d.get.texts('rule-row')).findIndex(r => r.includes('张贴')) > 0)
      await d.when.clickIn('rule-row', '张贴', 'rule-up')
    await d.when.click('close-rule')
    await d.when.click('save-draft')
    await d.sees('that it is saved', () => d.get.seen('effect'))
    await d.when.click('effect')
    await d.sees('what it comes to', counted)
    expect(await d.get.text('effect-summary')).toMatch(/有 \d+ 件会派给别的单位/)
    expect(await d.get.serious()).toEqual([])
    const month = await d.get.text('effect-summary')
    await d.when.pick('effect-span', '13')
    await d.sees('more of more months', async () => (await counted()) && (await d.get.text('effect-summary')) !== month)
    await d.sees('the cases', () => d.get.seen('effect-case'))
    expect((await d.get.texts('effect-case')).every(c => c.includes('12 '))).toBe(true)
    const ways = await d.get.count('effect-way')
    expect(ways).toBeGreaterThan(1)
    const first = await d.get.count('effect-case')
    await d.when.click('choose-way')
    await d.sees('that one way is listed', () => d.get.seen('all-ways'))
    await d.when.click('all-ways')
    await d.sees('all are', async () => !(await d.get.seen('all-ways')) && (await d.get.count('effect-case')) === first)
    await d.when.click('more-effect')
    await d.sees('more of them', async () => (await d.get.count('effect-case')) > first)
    expect(await d.when.download('effect-csv')).toContain('before_why')
    await d.when.click('publish')
    await d.sees('the number beside publishing', async () =>
      (await d.get.text('publish-effect')).includes('会派给别的单位'),
    )
    await d.when.press('Escape')
    await d.when.click('effect-link')
    await d.sees('the report', async () => (await d.get.path()).startsWith('/haining'))
  })

  it('is counted for a list, which moves open cases where that is asked for alone', async () => {
    await open('list', 'administrator', { locale: 'en', theme: 'dark', size: phone })
    await d.sees('the items', async () => (await d.get.count('item-row')) >= 16)
    await d.given.draft('catalogue', (list: { steps: { dispatch: string } }) => {
      list.steps.dispatch = '3 wd'
    })
    await open('list', 'administrator', { locale: 'en', theme: 'dark', size: phone })
    await d.sees('the draft', () => d.get.seen('effect'))
    await d.when.click('effect')
    await d.sees('what it comes to', counted)
    expect(await d.get.text('effect-summary')).toContain('Publishing moves no open case')
    await d.sees('the cases', () => d.get.seen('effect-case'))
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.wider()).toBe(0)
    await d.when.click('publish')
    await d.sees('the choice', () => d.get.seen('take-over'))
    expect(await d.get.serious()).toEqual([])
    await d.when.check('take-over')
    await d.when.click('publish-sure')
    await d.sees('that it is in force', async () => (await d.get.text('document-state')).includes('In force'))
    // What was foretold happens: the list in force moves nothing any more.
    await d.sees('that cases were taken over', async () => {
      const { rows } = await d.get.jsonAs('/audit?act=regime.relimit')
      return rows.length > 0
    })
  })

  it('is counted for a calendar, whose deadlines follow when it is in force', async () => {
    await open('calendar')
    await d.sees('the months', () => d.get.seen('months'))
    await d.when.type('hours-sat', '09:00-12:00')
    await d.when.click('save-draft')
    await d.sees('the draft', () => d.get.seen('effect'))
    await d.when.click('publish')
    await d.sees('what it comes to', () => d.get.seen('publish-effect'))
    expect(await d.get.text('publish-effect')).toMatch(/在办案件/)
    await d.when.click('publish-sure')
    await d.sees('that it is in force', state('现行'))
    await d.sees('that deadlines were counted anew', async () => {
      const { rows } = await d.get.jsonAs('/audit?act=regime.recount')
      return rows.length > 0
    })
  })
})

describe('what anybody sees', () => {
  it('a village’s poster is one sheet of A3 in both languages, and leads to the reporting page', async () => {
    for (const locale of ['zh', 'en'] as const) {
      await open(`poster/${village}`, null, { locale })
      await d.sees('the items', async () => (await d.get.count('poster-item')) >= 16)
      expect(await d.get.text('poster-place')).toMatch(locale === 'zh' ? /长安镇褚石村/ : /Chushi/)
      expect(await d.get.attribute('qr', 'aria-label')).toContain(`/haining/report?village=${village}`)
      expect(await d.get.serious()).toEqual([])
      expect(await d.get.print()).toEqual({ sheets: 1, size: [842, 1191] })
    }
    await open(`report?village=${village}`, null, { size: phone })
    await d.sees('the village', async () => (await d.get.text('from-poster')).includes('褚石村'))
    await d.when.click('to-one-stop')
    await d.sees('the list', () => d.get.seen('public-item'))
    expect(await d.get.wider()).toBe(0)
    await open('poster/nowhere', null)
    await d.sees('that there is none', () => d.get.seen('no-poster'))
    await open('sign-in', null)
    await d.sees('the way to the list', () => d.get.seen('one-stop'))
  })
})
