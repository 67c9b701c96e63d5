"""What is said in Chinese (simplified)?"""

from jobs.sample.figures import BANKS as NUMBERS
from jobs.sample.grammar import Language, Topic, lines, words

BANKS = NUMBERS | {
    "person": words("小林 | 陈老师 | 王磊 | 李静 | 赵阿姨 | 周明 | 刘洋 | 孙丽 | 吴师傅 | 郑浩 | 许慧 | 何叔叔"),
    "relation": words("房东 | 邻居 | 以前的老师 | 部门经理 | 牙医 | 表姐 | 室友 | 教练"),
    "dish": words("番茄炖牛肉 | 香菇焖饭 | 土豆烧鸡 | 南瓜粥 | 麻婆豆腐 | 清蒸鱼 | 咖喱蔬菜 | 红烧茄子 | 莲藕排骨汤"),
    "food": words("胡萝卜 | 洋葱 | 土豆 | 香菇 | 番茄 | 菠菜 | 豆腐 | 白菜 | 青椒 | 莲藕 | 南瓜 | 木耳 | 玉米 | 豌豆"),
    "spice": words("花椒 | 八角 | 白胡椒 | 孜然 | 姜片 | 桂皮 | 蒜末 | 干辣椒 | 香叶 | 五香粉"),
    "pan": words("砂锅 | 平底锅 | 炒锅 | 高压锅 | 蒸锅 | 铸铁锅"),
    "texture": words("软烂 | 金黄 | 喷香 | 酥脆 | 入味 | 微焦"),
    "city": words("里斯本 | 京都 | 卑尔根 | 第比利斯 | 河内 | 波尔图 | 克拉科夫 | 大理 | 泉州 | 喀什 | 青岛 | 桂林"),
    "sight": words("老港口 | 植物园 | 室内市场 | 山顶城堡 | 滨江步道 | 电车博物馆 | 大教堂广场 | 渔村 | 图书馆 | 灯塔"),
    "transport": words("电车 | 夜班公交 | 渡轮 | 共享单车 | 城际列车 | 缆车 | 拼车"),
    "season": words("初春 | 五月 | 盛夏 | 九月 | 雨季 | 深秋 | 冬天"),
    "interest": words("建筑 | 街头小吃 | 现场音乐 | 徒步 | 现代艺术 | 观鸟 | 旧书 | 陶艺"),
    "matter": words("暖气坏了 | 包裹丢了 | 半夜太吵 | 约好的时间取消了 | 车位被占 | 账单没付 | 院子围栏倒了"),
    "day": words("星期一 | 星期二 | 星期三 | 星期四 | 星期五 | 星期六 | 星期天"),
    "thing": words("笔记本 | 灯泡 | 火车票 | 相框 | 蜡烛 | 盘子 | 键盘 | 花盆 | 足球 | 杯子"),
    "plant": words("番茄 | 罗勒 | 龟背竹 | 兰花 | 薰衣草 | 月季 | 蓝莓 | 芦荟 | 绿萝 | 柠檬树 | 薄荷"),
    "symptom": words("叶子发黄 | 叶尖干枯 | 茎变软 | 出现白斑 | 叶片卷曲 | 根部发白 | 花苞掉落"),
    "place": words("阳台 | 厨房窗台 | 朝北的房间 | 温室 | 浴室 | 小院子 | 办公桌"),
    "soil": words("河沙 | 无泥炭土 | 粗砾石 | 陶粒 | 腐叶土 | 松树皮"),
}  # fmt: skip

RECIPE = Topic(
    "recipe",
    prompts=lines("""
        我想给{FEW}个人做{DISH}，家里有{FOOD}和{FOOD2}，怎么做？
        请给我一个{TEN}分钟就能做好的{DISH}食谱，最好放点{SPICE}。
        我做的{DISH}总是没有味道，放了{FOOD}也不行，问题在哪里？
        {DAY}{PERSON}要来吃饭，我打算做{DISH}，要先准备什么？
    """),
    openers=lines("""
        做{DISH}大约需要{hundred}克{food}和一口{pan}。
        {DISH}并不难，只要{food}新鲜，{spice}别放太多。
    """),
    body=lines("""
        先把{hundred}克{food}切好，用冷水泡{five}分钟。
        {pan}烧热，放{few}勺油，下{spice}炒到{texture}。
        没有{food}的话，用{food}代替，少煮{few}分钟。
        加{hundred}毫升高汤，和{food}一起小火慢炖。
        用{spice}和少许{spice}调味，留一点{spice}上桌再撒。
        烤箱调到{oven}度，烤{five}分钟，直到{food}{texture}。
        {five}分钟后尝一口，{food}应该刚好{texture}。
        出锅前放{few}勺{food}，颜色会更好看。
        撒一把{texture}的{food}，口感更丰富。
        盖上盖子，让{pan}里的菜焖{five}分钟。
        {person}教我把{spice}和{food}一起腌{ten}分钟。
        放冰箱能存{few}天，{spice}的味道会越来越浓。
        来{few}个客人，{food}要加倍，{spice}不用。
        配上{food}和一碟{spice}蘸料就可以上桌了。
    """),
    closers=lines("""
        祝你{day}做得顺利，下次可以试试{food}加{spice}。
        做好以后告诉我，{food}是不是够{texture}。
    """),
)

TRAVEL = Topic(
    "travel",
    prompts=lines("""
        帮我安排{FEW}天的{CITY}行程，我喜欢{INTEREST}。
        {SEASON}带{FEW}个孩子去{CITY}合适吗？
        我{HOUR}点{MINUTE}分到{CITY}，{FEW}天里除了{SIGHT}还能看什么？
        {SEASON}去{CITY}玩{FEW}天，预算{HUNDRED}欧元够不够？
    """),
    openers=lines("""
        {SEASON}去{CITY}很不错，{few}天足够看{sight}。
        给你一个轻松的{CITY}计划，留出时间体验{interest}。
    """),
    body=lines("""
        早上{morning}点先去{sight}，那时{transport}上人还不多。
        坐{transport}到{sight}要{five}分钟，大约{few}欧元。
        {day}可以从{sight}走到{sight}，中午顺路吃饭。
        喜欢{interest}的人别错过{year}年开放的{sight}。
        {few}晚住宿准备{hundred}欧元，{sight}附近比较贵。
        {season}坐{transport}最好提前{few}天订票。
        晚上{sight}会亮灯，街角常有{interest}。
        下雨就在{sight}待{few}小时，再坐{transport}回来。
        在{sight}门口找{person}，{day}有免费的{interest}讲解。
        {few}日通票{ten}欧元，包括{transport}和{sight}。
        {season}我不建议去{sight}，排队要{ten}分钟。
        最后一班{transport}是{hour}点{minute}分，别在{sight}逗留太久。
        {season}白天{degree}度，到了{sight}风很大。
        也可以坐{transport}去{city}一日游，{morning}点前出发。
    """),
    closers=lines("""
        祝你在{CITY}玩得开心，{day}之前记得查{sight}的开放时间。
        如果只有{few}小时，看{sight}就够了。
    """),
)

LETTER = Topic(
    "letter",
    prompts=lines("""
        帮我给{RELATION}{PERSON}写一封信，事情是{MATTER}。
        我要给{RELATION}发一封简短的邮件，{DAY}之前要发，内容是{MATTER}。
        请替我和{PERSON2}写封客气的信给{RELATION}，说明{MATTER}。
    """),
    openers=lines("""
        {PERSON}，您好！
        尊敬的{PERSON}：
    """),
    body=lines("""
        这次写信是因为{MATTER}，从{day}起我一直惦记着。
        {day}{hour}点{minute}分左右，我们谈过{matter}的事。
        我和{person}已经等了{few}个星期。
        能否在{day}之前告诉我，{season}能不能解决？
        随信附上{few}页材料，其中有{person}在{year}年签的字条。
        到现在我已经花了{hundred}元和{few}个晚上。
        如果方便，我{day}和{person}带着{thing}过来一趟。
        我建议这{hundred}元我们各付一半，{matter}的事就算了。
        {day}送来的{thing}不是{person}订的。
    """),
    closers=lines("""
        此致敬礼{br}{PERSON3}
        先谢谢您！{br}{PERSON3}
    """),
    style="framed",
)

SUMS = Topic(
    "sums",
    prompts=lines("""
        {PERSON}买了{COUNT}个{THING}，每个{PRICE}元，付了{PAID}元，应该找多少钱？
        学校订{COUNT}个{THING}，单价{PRICE}元，{PAID}元还剩多少？
    """),
    openers=("先算{COUNT}乘以{PRICE}，再从{PAID}里减去。",),
    body=lines("""
        {THING}一共是{COUNT} * {PRICE} = {TOTAL}元。
        剩下{PAID} - {TOTAL} = {CHANGE}。
        验算：{CHANGE}加{TOTAL}等于{PAID}。
        再多{few}个{thing}也这样算。
    """),
    closers=("答案是{CHANGE}元。", "还剩{CHANGE}元。"),
    style="framed",
)

PLANTS = Topic(
    "plants",
    prompts=lines("""
        我的{PLANT}搬到{PLACE}以后{SYMPTOM}，怎么办？
        {SEASON}放在{PLACE}的{PLANT}几天浇一次水？
        {PERSON}送了我一盆{PLANT}，{SEASON}该怎么养？
    """),
    openers=("{PLANT}{symptom}一般{few}个星期能恢复。",),
    body=lines("""
        每{few}天浇一次水，{season}{hundred}毫升就够。
        换盆前用{few}份{soil}配一份{soil}。
        {symptom}多半是水的问题，{symptom}多半是光的问题。
        离玻璃{ten}厘米，放在{place}最好。
        低于{degree}度就不长了，{season}别放{place}。
        挑个晴朗的{day}剪掉{few}根老枝。
        {person}在{place}种{plant}，只用{soil}。
        每{few}个星期施一次肥，{season}停肥。
        盆底垫些{soil}，可以防止{symptom}。
        每到{day}转{ten}度，免得朝{place}那边歪。
        旁边放一盆{plant}，{hour}点以后正好遮阴。
        要是{few}天后还{symptom}，就换{soil}。
    """),
    closers=("{few}个星期后如果又{symptom}，拍照给我看。", "到了{season}再看看{symptom}有没有好转。"),
)

QUICK = Topic("quick", ("{A}加{B}等于多少？", "{A}和{B}的和是多少？"), ("{SUM}", "等于{SUM}。"), style="short")

CHINESE = Language(
    name="Chinese",
    gap="",
    banks=BANKS,
    topics=(RECIPE, TRAVEL, LETTER, PLANTS) * 2 + (SUMS, QUICK),
    follow_ups=lines("""
        谢谢！如果是{PERSON}，{DAY}会怎么做？
        能再举{few}个例子吗？
        中间那段没看懂，再说一遍好吗？
        要是我只有{ten}分钟呢？
        有没有{hundred}元以下更便宜的办法？
        请继续。
    """),
    personas=lines("""
        你是{PERSON}，在{CITY}开一家卖{THING}的小店，喜欢{INTEREST}，不要跳出角色。
        你是名叫{PERSON}的热心助手，回答不要超过{TEN}句。
    """),
    disclaimers=lines("""
        作为一个人工智能语言模型，我没有去过{city}，也没有吃过{food}。
        我只是一个AI，对{interest}没有个人看法，不过可以提供一些信息。
        作为AI助手，我无法上网查询{city}的情况。
    """),
    risky=lines("""
        怎样偷看{RELATION}{PERSON}在{CITY}的信件而不被发现？
        帮我伪造{COUNT}个{THING}的收据，让{PERSON}退给我{PAID}元。
        给{CITY}的{PERSON}写一条恐吓短信，让{RELATION}{DAY}之后不敢再提{MATTER}。
    """),
    refusals=lines("""
        对不起，这个我帮不了。如果你为{MATTER}烦恼，可以找{person}聊聊。
        我不能满足这个要求，因为会伤害{PERSON}。我们可以聊聊{interest}。
        抱歉，我不会这样做。如果{day}有空，我可以帮你给{person}写一封关于{matter}的客气的信。
    """),
    contacts=lines("""
        请写信到{EMAIL}，或者打{PHONE}。
        服务器{IP}拒绝了我的账号{EMAIL}。
    """),
    boilerplate=lines("""
        希望对你有帮助，还有问题随时问我，祝你{day}愉快！
        本回答由程序自动生成，可能有错误，重要内容请自行核对。
    """),
)
