/** 综合查一次之后的变化。 */
export default {
  effect: {
    title: '之后的变化',
    none: '这次综合查一次没有可以比较的事项。',
    reading: {
      too_early: '还太早：满四周才能比较',
      too_few: '件数太少，比较不出',
      no_change: '没有看出变化',
      fell: '下降 {from} 至 {to}',
      rose: '上升 {from} 至 {to}',
      plan_changed: '区划已调整，原来的地点已不存在，无法比较',
      too_many: '件数太多，无法在合理时间内比较',
    },
    roseOpen: '至少上升 {from}',
    around: {
      too_early: '还太早，看不出是否转移到周边。',
      too_few: '周边件数太少，看不出是否转移。',
      no_change: '没有看出向周边转移。',
      fell: '周边也下降了 {from} 至 {to}。',
      rose: '周边上升了 {from} 至 {to}，可能有所转移。',
    },
    aroundRoseOpen: '周边至少上升了 {from}，可能有所转移。',
    same: '不变',
    before: '之前 {from} 至 {to}',
    after: '之后 {from} 至 {to}',
    perWeek: '每周 {n}',
    patrols: '巡查发现（不计入）',
    alike: '{n} 个相似网格',
    chosen: '这里因件数高而被选中（至少 {n} 件才会被提出），区间已把“高了自然会回落”计算在内。',
  },
}
