using System.CommandLine;
using System.Text.Json;
using Sketch.Accuracy;
using Sketch.Server.Hosting;
using Sketch.Sketches;

namespace Sketch.Server.Commands;

/// <summary><c>sketch plan</c>: from a wished accuracy to parameters, and back. Needs no node.</summary>
internal static class PlanCommand
{
    private const string Sum = "sum", Distinct = "distinct", Top = "top";
    private const int MaxK = 100_000;

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<string> kind = CommonOptions.Word("--kind", "What is counted", Sum, Sum, Distinct, Top);
        Option<double?> error = CommonOptions.Number("--error", "sum: how far a value may be off.", -1, 1e18, "0 or more");
        Option<double?> relative = CommonOptions.Number("--relative-error", "How far a value may be off, as a share of it (sum: of --of-at-least).", 0, 1, "a share above 0 and below 1, such as 0.01");
        Option<double?> least = CommonOptions.Number("--of-at-least", "sum: the smallest value that --relative-error is about (default 1000).", 0, 1e18, "a value above 0");
        Option<string?> memory = new("--memory") { Description = "sum, the way back: what a sketch of this memory keeps, 4KiB to 1GiB.", HelpName = "BYTES" };
        Option<int> precision = CommonOptions.Whole("--precision", "distinct, the way back: what 2^N registers keep", HyperLogLog.MinPrecision, HyperLogLog.MaxPrecision, HyperLogLog.DefaultPrecision);
        Option<double?> perSecond = CommonOptions.Number("--per-second", "sum: expected increments a second.", 0, 1e12, "a rate above 0");
        Option<double?> ids = CommonOptions.Number("--ids", "sum: expected distinct counters in a window.", 0, 1e12, "a count above 0");
        Option<double?> mean = CommonOptions.Number("--mean-delta", "sum: expected size of an increment (default 1).", 0, 1e12, "a size above 0");
        Option<double?> window = CommonOptions.Number("--window", "sum: seconds that a window is open, at most (default 5).", 0, 3_600.1, "above 0, to 3600 seconds");
        Option<string?> most = new("--max-memory") { Description = "sum: the most memory for a window's sketch (default 1GiB).", HelpName = "BYTES" };
        Option<int> k = CommonOptions.Whole("--count", "top: how many of the heaviest", 1, MaxK, 10, "-k");
        Option<double> confidence = CommonOptions.Confidence();
        Option<bool> json = CommonOptions.Json();
        Command command = new("plan", "Turn a wished accuracy into parameters, and parameters into the accuracy that they keep.")
        {
            kind, error, relative, least, memory, precision, perSecond, ids, mean, window, most, k, confidence, json,
        };
        command.SetAction(parsed =>
        {
            PlanAnswer answer = parsed.GetValue(kind) switch
            {
                Distinct => ForDistinct(parsed.GetValue(relative), parsed.GetResult(precision) is { Implicit: false }, parsed.GetValue(precision), parsed.GetValue(confidence)),
                Top => ForTop(parsed.GetValue(k)),
                _ => ForSum(
                    parsed.GetValue(error),
                    parsed.GetValue(relative),
                    Bytes("--memory", parsed.GetValue(memory)),
                    new SumWish
                    {
                        OfAtLeast = (long)Math.Ceiling(parsed.GetValue(least) ?? 1_000),
                        Confidence = parsed.GetValue(confidence),
                        IncrementsPerSecond = Required("--per-second", parsed.GetValue(perSecond), "expected increments a second, such as 100000"),
                        DistinctIds = (long)Math.Ceiling(Required("--ids", parsed.GetValue(ids), "expected distinct counters in a window, such as 1000000")),
                        MeanDelta = parsed.GetValue(mean) ?? 1,
                        WindowSeconds = Math.Min(3_600, parsed.GetValue(window) ?? 5),
                        MaxMemoryBytes = Bytes("--max-memory", parsed.GetValue(most)) ?? CountMinSketch.MaxMemoryBytes,
                    }),
            };
            Write(terminal, answer, parsed.GetValue(json));
            return answer.Fulfilled ? ExitCode.Done : throw new CommandException("the wish can't be kept; the plan is the best there is");
        });
        return command.WithExamples(
            "sketch plan --error 100 --per-second 1e6 --ids 5e6",
            "sketch plan --relative-error 0.01 --of-at-least 10000 --per-second 1e5 --ids 1e6 --confidence 0.95 --json",
            "sketch plan --memory 16MiB --per-second 1e6 --ids 5e6         what a sketch of that size keeps",
            "sketch plan --kind distinct --relative-error 0.02",
            "sketch plan --kind top -k 100");
    }

    private static PlanAnswer ForSum(double? error, double? relative, long? memory, SumWish wish)
    {
        int given = (error is null ? 0 : 1) + (relative is null ? 0 : 1) + (memory is null ? 0 : 1);
        if (given != 1)
            throw Refuse("--error, --relative-error or --memory", given == 0 ? "missing" : "given together", "one of the three");
        SumPlan plan = memory is { } bytes
            ? Sizing.OfMemory(bytes, wish)
            : Sizing.ForSums(wish with { AbsoluteError = (long?)error, RelativeError = relative });
        int seconds = Math.Max(1, (int)plan.WindowSeconds);
        return new PlanAnswer(Sum, plan.Confidence, plan.Fulfilled, plan.Explain())
        {
            MemoryBytes = plan.MemoryBytes,
            Width = plan.Width,
            Depth = plan.Depth,
            WindowSeconds = plan.WindowSeconds,
            WindowWeight = plan.WindowWeight,
            ErrorAtMost = plan.ErrorAtMost,
            ErrorIfEven = plan.ErrorIfEven,
            Serve = FormattableString.Invariant($"sketch serve --sketch-memory {plan.MemoryBytes} --window {seconds}"),
        };
    }

    private static PlanAnswer ForDistinct(double? relative, bool hasPrecision, int precision, double confidence)
    {
        if (relative is not null == hasPrecision)
            throw Refuse("--relative-error or --precision", hasPrecision ? "given together" : "missing", "one of the two");
        DistinctPlan plan = relative is { } error ? Sizing.ForDistinct(error, confidence) : Sizing.OfPrecision(precision, confidence);
        return new PlanAnswer(Distinct, plan.Confidence, plan.Fulfilled, plan.Explain())
        {
            MemoryBytes = plan.DenseBytes,
            Precision = plan.Precision,
            StandardError = plan.StandardError,
            ErrorAtMost = plan.ErrorAtMost,
        };
    }

    private static PlanAnswer ForTop(int k)
    {
        int capacity = Sizing.HeavyHitterCapacity(k);
        // Bounds of a table of candidates are certain: no doubt to state.
        return new PlanAnswer(Top, 1, true, FormattableString.Invariant(
            $"{capacity:N0} candidates find all of the {k:N0} heaviest where their sizes follow Zipf's law with an exponent of 0.8 or more. Bounds of the candidates are certain; an item is called certain when it must be among the heaviest."))
        {
            Capacity = capacity,
        };
    }

    private static void Write(Terminal terminal, PlanAnswer answer, bool json)
    {
        if (json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(answer, PlanJson.Default.PlanAnswer));
            return;
        }

        terminal.Output.WriteLine(answer.Explanation);
        if (answer.Serve is { } serve)
            terminal.Output.WriteLine("  " + serve);
    }

    private static long? Bytes(string option, string? text) => text is null ? null : new ServeSettings.Value(option, text).Bytes();

    private static double Required(string option, double? value, string allowed) => value ?? throw Refuse(option, "missing", allowed);

    private static CommandException Refuse(string option, string value, string allowed) => new($"{option} is {value}; allowed: {allowed}", ExitCode.Usage);
}
