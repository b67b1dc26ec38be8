"""Ordinary sentences with words that are numbers only by the letter: inverse text normalisation leaves them as they are."""

ORDINARY = {
    "en": """
        One of them is mine.
        Two or three people came.
        No one knows.
        Wait a second, please.
        I have one or two questions.
        First of all, thank you.
        Oh no, not again!
        May I come in?
        We may first need to ask.
        One by one they left.
        It happens once in a hundred years.
        She was on cloud nine.
        On second thought, let's go.
        That makes two of us.
        One, two, three, go!
        One two three, testing.
        I double checked it.
        Give me a double espresso.
        It's a one-way street.
        He has a two-year-old son.
        They live in a three-bedroom house.
        I got a B in maths.
        Plan B is better.
        Vitamin C is good for you.
        What is your point?
        At this point five people had left.
        It's as easy as A B C.
        A hundred people can't be wrong.
        Thanks a million.
        A thousand thanks.
        Ten of them stayed.
        There are seven days in a week.
        I need four eggs and two onions.
        Can you order two pizzas?
        Book a table for four.
        Is there a room for two?
        The room two floors up is bigger.
        Four or five would be enough.
        It is a fifty-fifty chance.
        She is twenty-something.
        I was in the second row.
        The third time is the charm.
        Let's meet at two or at three.
        Put it on the back seat.
        Five minutes is too short.
        One more time.
        I love you two.
        Which one do you want?
        This one, that one, another one.
        Someone said I won.
        To be or not to be.
        I ate before you came.
        We went for a walk for two hours.
        He is one in a million.
        One or two hundred would do.
        From nine to five I work.
        Half of it is gone.
        A quarter of the cake is left.
        Nine times out of ten it works.
        I'd like one with milk and one without.
        All in one.
        The twins are six.
        Six of one, half a dozen of the other.
        Two heads are better than one.
        What a day, o my friend.
        I see a cat and a dog.
        You and I are one.
        See you at seven.
        Is it one or is it zero?
        Oh, one more thing.
        The number one reason is the price.
        I said A, not E.
        Mr. T said no.
        Is seven eleven open?
        She won three to two.
    """,
    "zh": """
        等一下。
        我们一起去吧。
        万一下雨怎么办？
        一共多少钱？
        我有一个问题。
        十分感谢。
        千万不要忘记。
        他一直在说话。
        一点也不贵。
        便宜一点好吗？
        一样的。
        第一次来这里。
        两三个人就够了。
        三四百块也行。
        一心一意。
        乱七八糟。
        四面八方都有人。
        五颜六色的花。
        星期五有空吗？
        周一到周三。
        一二三，走！
        一边吃一边说。
        快一点一起走。
        一五一十地告诉我。
        不管三七二十一。
        我有三点意见。
        这一点三个人都同意。
        有几十个人。
        成千上万的人。
        上百个问题。
        十几天以后。
        几百块钱。
        他是个二百五。
        百分百没问题。
        说一不二。
        一方面是这样。
        统一的标准。
        唯一的办法。
        另一个呢？
        同一时间。
        一定要来。
        一般来说。
        一些东西。
        三明治好吃。
        七八个苹果。
        八九十个人。
        九牛一毛。
        十全十美。
        十字路口左转。
        百货商店在哪里？
        千里之外。
        亿万富翁。
        双十一打折吗？
        五一放假。
        六一儿童节快乐。
        三里屯怎么走？
        四川菜很辣。
        我住在五道口。
        七夕节送什么？
        重庆八一路。
        我要两杯咖啡。
        这两天很忙。
        一块去吃饭。
        一度很流行。
        再说一遍。
        二手车市场。
        三心二意可不行。
        一年又一年。
        每一次都这样。
        一点一点来。
        我一个人住。
        十分漂亮。
        一元二次方程很难。
        A一直没来。
        他们俩一九分成。
        九九归一。
    """,
    "ja": """
        一緒に行きましょう。
        一番好きです。
        一人で来ました。
        二人とも元気です。
        一つください。
        十分です。
        一度も行ったことがない。
        万が一のために。
        一石二鳥ですね。
        千葉に住んでいます。
        三重県の出身です。
        四国と九州。
        八百屋はどこですか。
        百科事典を読む。
        五十嵐さんはいますか。
        六本木で会う。
        五反田駅はどこ？
        三鷹まで行きます。
        千代田区です。
        七五三のお祝い。
        三三七拍子で。
        二十四節気の話。
        百人一首をしよう。
        一二三、はい。
        一時的な問題です。
        一部の人だけ。
        一般的には。
        一生懸命頑張ります。
        二度と行かない。
        三日坊主なんです。
        四六時中忙しい。
        四季がある国。
        五感で楽しむ。
        七夕の夜。
        八方美人だ。
        九死に一生。
        十人十色です。
        百聞は一見にしかず。
        千円札はありますか。
        万年筆を買う。
        億劫です。
        二、三人来ます。
        二三人で十分だ。
        第一に、ありがとう。
        第二次大戦。
        一方通行です。
        一体何ですか。
        一瞬でした。
        統一された規格。
        唯一の方法。
        三角形と四角形。
        二重に確認した。
        一日中寝ていた。
        十字路を右へ。
        数十人が来た。
        何百人もいた。
        一旦止まる。
        もう一回お願いします。
        一杯飲みましょう。
        二つ三つ。
        一週間後に。
        三つ葉のクローバー。
        一気に飲む。
        一段と寒い。
        三味線を弾く。
        八王子まで。
        一等賞です。
        三ヶ日のみかん。
        五月晴れですね。
        十五夜の月。
        九十九里浜へ行く。
        二宮さんと三浦さん。
    """,
}


def sentences(listed: str) -> list[str]:
    """One a line."""
    return [line.strip() for line in listed.strip().splitlines()]
