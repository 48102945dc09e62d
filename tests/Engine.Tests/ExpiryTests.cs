using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Engine;

/// <summary>Counters that nobody incremented for their namespace's lifetime.</summary>
public sealed class ExpiryTests
{
    // Not days: in each of them the engine's clocks would tick two million times.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Half = Lifetime / 2;

    [Theory]
    [InlineData(Tier.Strong, false)]
    [InlineData(Tier.Approximate, false)]
    [InlineData(Tier.Approximate, true)]
    public async Task An_idle_counter_goes_a_busy_one_stays_and_the_name_comes_again_at_zero(Tier tier, bool isTight)
    {
        await using Rig rig = await Open(tier, isTight: isTight);
        await rig.Define("users", CounterKind.Distinct);
        await rig.Define("defined", CounterKind.Sum);
        await rig.Define("pages", CounterKind.Top);
        await rig.Add("idle", 5);
        await rig.Add("half", 5);
        await rig.AddElements("users", "ann");
        await rig.AddElements("pages", "home");
        await rig.Pass(Half);
        await rig.Add("half", 1);
        await rig.Expire();
        Assert.Equal(6, rig.Engine.Namespaces.Single().Counters);

        await rig.Pass(Half + TimeSpan.FromMinutes(1));
        await rig.Expire();
        Assert.Equal(2, rig.Engine.Namespaces.Single().Counters);
        Assert.Equal((4, 0), (rig.Engine.Status.ExpiredCounters, rig.Engine.Status.ExpiringCounters));
        Assert.Equal(["busy", "half"], await rig.Engine.FindAsync(Rig.Namespace, "", null, 10, default));
        Assert.All(new[] { "idle", "users", "defined", "pages" }, name => Assert.Null(rig.Read(name)));
        Assert.Equal(6, (await rig.ReadThrough("half"))!.Value);

        await rig.Add("idle", 3);
        await rig.Define("users", CounterKind.Distinct);
        await rig.Checkpoint();
        Assert.Equal((3, 0, 3), ((await rig.ReadThrough("idle"))!.Value, rig.Read("users")!.Value, rig.Store.Total(Rig.Namespace, "idle")));
        await rig.Restart();
        Assert.Equal((3, 4), ((await rig.ReadThrough("idle"))!.Value, rig.Engine.Namespaces.Single().Counters));
    }

    [Fact]
    public async Task Every_hour_idle_counters_are_looked_for()
    {
        await using Rig rig = await Open();
        await rig.Add("idle", 1);
        await rig.Pass(Lifetime + TimeSpan.FromMinutes(1));
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        while (rig.Read("idle") is not null)
        {
            rig.Time.Advance(TimeSpan.FromMinutes(5));
            await Task.Delay(1, late.Token);
        }

        Assert.NotNull(rig.Read("busy"));
    }

    /// <summary>However many the store is asked for at once, and whether or not it looks at parts of them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task More_go_than_a_record_names(bool inParts)
    {
        await using Rig rig = await Open(isTight: inParts);
        await rig.Send(null, 0, [.. Enumerable.Range(0, 5_000).Select(i => ($"c{i}", 1L))]);
        await rig.Pass(Lifetime + TimeSpan.FromMinutes(1));
        await rig.Expire();
        Assert.Equal((1, 5_000), (rig.Engine.Namespaces.Single().Counters, rig.Engine.Status.ExpiredCounters));
    }

    [Fact]
    public async Task Room_for_other_names_comes_back()
    {
        await using Rig rig = await Open();
        await rig.Engine.DefineNamespaceAsync(new NamespaceDefinition(Rig.Namespace, Tier.Eventual, MaxCounters: 2), default);
        await rig.Add("idle", 1);
        await rig.Pass(Lifetime + TimeSpan.FromMinutes(1));
        Assert.Equal(IncrementStatus.Rejected, (await rig.Send(null, 0, ("new", 1))).Status);
        await rig.Expire();
        await rig.Add("new", 1);
    }

    /// <summary>The store answered that it is idle, and did not know yet.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_increment_before_the_log_names_it_keeps_a_counter(bool isTight)
    {
        await using Rig rig = await Open(Tier.Approximate, isTight: isTight);
        await rig.Add("a", 5);
        await rig.Add("b", 5);
        await rig.Pass(Lifetime + TimeSpan.FromMinutes(1));
        rig.Store.BeforeNames = async () => Assert.Equal(IncrementStatus.Accepted, (await rig.Commit(rig.Columns(("a", 2)))).Status);
        await rig.Expire();

        Assert.Equal(7, (await rig.ReadThrough("a"))!.Value);
        Assert.Null(rig.Read("b"));
        await rig.Checkpoint();
        Assert.Equal((7, 0), (rig.Store.Total(Rig.Namespace, "a"), rig.Store.Total(Rig.Namespace, "b")));
    }

    public enum Saved
    {
        ByName,
        ByColumns,
        ByColumnsOfBefore,
        ByNumber,
        ByNameOfBefore,
        ByElement,
        ByElementOfBefore,
        ByItem,
        ByDefinition,
        ByReset,
        ByNamespace,
    }

    public static TheoryData<Saved, Tier, bool> Ways
    {
        get
        {
            TheoryData<Saved, Tier, bool> ways = [];
            foreach (Saved how in Enum.GetValues<Saved>())
            {
                ways.Add(how, Tier.Approximate, true);
                ways.Add(how, Tier.Strong, false);
            }

            return ways;
        }
    }

    /// <summary>Nothing of it is in the store when that is asked for the second time: the fold alone must know.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Whatever_comes_after_the_log_names_it_keeps_a_counter(Saved how, Tier tier, bool isTight)
    {
        await using Rig rig = await Open(tier, isTight: isTight);
        CounterKind kind = how is Saved.ByElement or Saved.ByElementOfBefore ? CounterKind.Distinct : how == Saved.ByItem ? CounterKind.Top : CounterKind.Sum;
        if (kind != CounterKind.Sum)
        {
            await rig.Define("a", kind);
        }

        NumberedNames names = new();
        if (how == Saved.ByNumber)
        {
            // The second one no longer looks the counter up.
            await rig.Commit(rig.Numbered(names, "a", 3));
            await rig.Commit(rig.Numbered(names, "a", 2));
        }
        else
        {
            await (kind == CounterKind.Sum ? rig.Add("a", 5) : rig.AddElements("a", "x"));
        }

        await rig.Add("b", 5);
        await rig.Pass(Lifetime + TimeSpan.FromMinutes(1));
        IncrementBatch before = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.Null(how == Saved.ByElementOfBefore ? before.AddElement("a"u8, "y"u8, null) : before.Add("busy"u8, 0));
        if (how is Saved.ByColumnsOfBefore or Saved.ByNameOfBefore)
        {
            Assert.Null(how == Saved.ByNameOfBefore ? before.Add("a"u8, 2) : before.Add([CounterId.Of(Rig.Namespace, "a")], [2], out _));
        }

        rig.Store.BeforeNames = () =>
        {
            rig.Store.BeforeIdle = async () =>
            {
                Assert.Equal(2, rig.Engine.Status.ExpiringCounters);
                switch (how)
                {
                    case Saved.ByName:
                        await rig.Add("a", 2);
                        break;
                    case Saved.ByColumns:
                        Assert.Equal(IncrementStatus.Accepted, (await rig.Commit(rig.Columns(("busy", 1), ("a", 2), ("busy", 1)))).Status);
                        break;
                    case Saved.ByNumber:
                        Assert.Equal(IncrementStatus.Accepted, (await rig.Commit(rig.Numbered(names, "a", 2))).Status);
                        break;
                    case Saved.ByElement or Saved.ByItem:
                        await rig.AddElements("a", "y");
                        break;
                    case Saved.ByDefinition:
                        await rig.Define("a", CounterKind.Sum);
                        break;
                    case Saved.ByReset:
                        await rig.Reset("a");
                        break;
                    case Saved.ByNamespace:
                        await rig.Engine.DefineNamespaceAsync(new NamespaceDefinition(Rig.Namespace, tier, LifetimeDays: 365), default);
                        break;
                    default:
                        Assert.Equal(IncrementStatus.Accepted, (await rig.Commit(before)).Status);
                        break;
                }
            };
            return Task.CompletedTask;
        };
        await rig.Expire();

        long value = how switch { Saved.ByDefinition or Saved.ByNamespace => 5, Saved.ByReset => 0, _ => kind == CounterKind.Sum ? 7 : 2 };
        Assert.Equal(value, (await rig.ReadThrough("a"))!.Value);
        Assert.Equal(how == Saved.ByNamespace, rig.Read("b") is not null);
        await rig.Checkpoint();
        await rig.Restart();
        Assert.Equal(value, (await rig.ReadThrough("a"))!.Value);
        Assert.Equal((how == Saved.ByNamespace, 0), (await rig.ReadThrough("b") is not null, rig.Engine.Status.ExpiringCounters));
    }

    /// <summary>The node ended between the two records, with a snapshot of that moment or without: the fold goes on from there, and the next run ends what was begun.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_run_that_a_restart_cut_off_takes_nothing_by_itself(bool withSnapshot, bool isTight)
    {
        await using Rig rig = await Open(Tier.Approximate, isTight: isTight);
        await rig.Add("a", 5);
        await rig.Add("b", 5);
        await rig.Pass(Lifetime + TimeSpan.FromMinutes(1));
        Assert.True(await rig.BeginToExpire());
        if (withSnapshot)
        {
            await rig.Pass(TimeSpan.FromMinutes(1));
        }

        await rig.Restart();
        Assert.Equal(2, rig.Engine.Status.ExpiringCounters);
        using IncrementBatch columns = rig.Columns(("a", 2));
        Assert.Equal(IncrementStatus.Accepted, (await rig.Commit(columns)).Status);
        await rig.Checkpoint();
        await rig.Restart();
        Assert.Equal((7, 5), ((await rig.ReadThrough("a"))!.Value, (await rig.ReadThrough("b"))!.Value));

        await rig.Expire();
        Assert.Equal(7, (await rig.ReadThrough("a"))!.Value);
        Assert.Equal((null, 0), (rig.Read("b"), rig.Engine.Status.ExpiringCounters));
    }

    [Fact]
    public async Task A_store_that_is_away_puts_it_off()
    {
        await using Rig rig = await Open();
        await rig.Add("a", 5);
        await rig.Pass(Lifetime + TimeSpan.FromMinutes(1));
        Assert.True(await rig.BeginToExpire());
        await rig.Add("a", 1);
        await rig.Expire();
        Assert.Equal((6, 0), (rig.Read("a")!.Value, rig.Engine.Status.ExpiringCounters));
    }

    private static async Task<Rig> Open(Tier tier = Tier.Eventual, bool isTight = false)
    {
        Rig rig = await Rig.Open(tier, isTight: isTight);
        rig.Lifetime = Lifetime;
        return rig;
    }
}
