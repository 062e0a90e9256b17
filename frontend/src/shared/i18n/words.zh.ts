/** Words of looking for words, and of the filters by what has become of reports. */
export default {
  words: {
    label: '在列表中查找',
    hint: '标题、内容、地址、办理说明、编号',
    scope: '只查找列表，地图和数字不变。多个词用空格隔开，须同时出现。',
    clear: '清除查找',
    none: '没有含“{words}”的上报',
    noneHint: '换一个词，或只留一个词；单个汉字也可以查。地图范围和筛选条件同样起作用。',
    more: '更多筛选',
    less: '收起筛选',
    aspect: '领域',
    state: '状态',
    settledBy: '办结方',
    team: '责任单位',
    unit: '单位 {n}',
    cases: '案件',
    casesHint: '未结的，按计时着色',
    clocks: '计时的颜色',
    clock: { red: '已超时', amber: '将到期', green: '时限内', none: '不在计时' },
    settled: { village_onsite: '村社当场', town_team: '镇街队伍', committee: '专题会商', none: '尚未办结或不详' },
  },
}
