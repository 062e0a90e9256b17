package haining

import "time"

// When people report: office hours on weekdays, a dip at noon, less on weekends; noise and fumes in the evening.
var (
	weekday = [7]float64{0.70, 1.14, 1.08, 1.05, 1.04, 1.07, 0.78} // from Sunday

	dayHours = cumulative([]float64{0.3, 0.2, 0.1, 0.1, 0.2, 0.5, 1.4, 3.4, 7.6, 9.4, 8.8, 6.6, 3.6, 5.2, 8.2, 8.0, 7.4, 5.6, 4.2, 3.8, 3.4, 2.4, 1.4, 0.7})
	lateDay  = cumulative([]float64{2.6, 1.6, 0.9, 0.6, 0.5, 0.8, 1.6, 2.4, 2.8, 2.6, 2.4, 3.2, 3.8, 2.6, 2.2, 2.4, 3.0, 5.2, 8.4, 10.6, 11.4, 10.2, 7.6, 4.4})
)

func cumulative(weights []float64) []float64 {
	out := make([]float64, len(weights))
	total := 0.0
	for i, w := range weights {
		total += w
		out[i] = total
	}
	return out
}

// cst is Asia/Shanghai, which has had no other offset since 1991.
var cst = time.FixedZone("CST", 8*60*60)

// habit is how an item comes in.
type habit struct {
	weight    float64 // its part of all reports
	late      bool    // in the evening rather than in office hours
	conflict  float64 // part that is a conflict
	inquiry   float64 // part that is an inquiry
	sensor    float64 // part that a sensor sends
	limitHour float64 // its disposal limit: most are closed well within
	roadside  float64 // part that lies on a road or canal
	titles    []string
}

// habits are in order of the items. A title's % is the village.
var habits = [16]habit{
	{3.6, false, 0.02, 0.03, 0.30, 4, 0.25, []string{"%秸秆露天焚烧", "%田边焚烧垃圾冒烟", "%有人烧杂物"}},
	{4.4, false, 0.03, 0.05, 0.18, 40, 0.80, []string{"%河道有漂浮物", "%向河里倾倒垃圾", "%河水发黑有异味", "%河面水草堆积"}},
	{5.0, true, 0.18, 0.06, 0, 40, 0.45, []string{"%餐饮油烟扰民", "%路边露天烧烤", "%夜宵摊油烟大"}},
	{14.5, false, 0.03, 0.07, 0.02, 8, 0.50, []string{"%垃圾未分类投放", "%建筑垃圾偷倒", "%垃圾桶满溢", "%楼道堆放杂物"}},
	{5.2, true, 0.10, 0.22, 0, 24, 0.45, []string{"%遛狗不牵绳", "%咨询犬证办理", "%犬只未免疫"}},
	{4.6, true, 0.16, 0.04, 0, 8, 0.35, []string{"%流浪犬聚集", "%狗叫扰民", "%犬只伤人"}},
	{3.0, false, 0.04, 0.28, 0, 80, 0.40, []string{"%疑似无照经营", "%咨询办理营业执照", "%流动摊贩无证经营"}},
	{2.6, false, 0.06, 0.10, 0, 40, 0.25, []string{"%小作坊卫生差", "%食品过期销售", "%熟食店无健康证"}},
	{5.8, false, 0.34, 0.20, 0, 56, 0.20, []string{"%预付卡退费纠纷", "%买到假货要求退款", "%咨询消费维权"}},
	{12.5, false, 0.05, 0.03, 0, 4, 0.85, []string{"%占道经营", "%店铺出店摆放", "%流动摊占用人行道"}},
	{16.0, false, 0.06, 0.05, 0.08, 3, 0.90, []string{"%车辆乱停放", "%电动车堵住通道", "%货车占道停放", "%非机动车乱停"}},
	{7.2, false, 0.01, 0.02, 0, 16, 0.75, []string{"%电线杆乱贴小广告", "%横幅乱悬挂", "%墙面乱涂写"}},
	{4.2, false, 0.14, 0.18, 0, 160, 0.10, []string{"%违章搭建", "%楼顶私自加建", "%咨询建房审批"}},
	{1.8, false, 0.12, 0.20, 0, 120, 0.15, []string{"%占用耕地堆放", "%农田硬化", "%咨询宅基地"}},
	{4.0, false, 0.03, 0.06, 0.16, 8, 0.20, []string{"%消防通道被占", "%车间住人", "%楼道充电隐患"}},
	{9.6, true, 0.56, 0.05, 0, 40, 0.20, []string{"%施工夜间噪声", "%邻里纠纷", "%广场舞音响大", "%楼上噪声扰民"}},
}
