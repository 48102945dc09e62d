using Sketch.Accuracy;
using Sketch.Sketches;

namespace Sketch.Tests.Accuracy;

/// <summary>The package's README, run as it is written.</summary>
public sealed class PackageExampleTests
{
    private static void Example(TextWriter Console)
    {
        // example
        SketchKey key = SketchKey.Derive("sixteen secret bytes, or more"u8, "views", log: 0, position: 0);
        SumPlan plan = Sizing.ForSums(new SumWish { AbsoluteError = 20, IncrementsPerSecond = 20_000, DistinctIds = 50_000 });
        CountMinSketch views = new(plan.MemoryBytes, key);
        for (ulong i = 0; i < 100_000; i++)
            views.Add(i * i % 50_021, delta: 1);

        long estimate = views.Estimate(4); // before the ghosts: their order is what makes the bound hold
        GhostSample ghosts = new(SketchKey.Derive("sixteen secret bytes, or more"u8, "ghosts", 0, 0));
        ghosts.Evaluate([views]);
        Estimate answer = LiveEstimate.From(exactPart: 1_000, estimate, exactLivePart: 0, ghosts, confidence: 0.99);
        Console.WriteLine($"{answer.Lower} to {answer.Upper} at {answer.Confidence:P0}; at most {plan.ErrorAtMost:0} wide");
        // end
    }

    [Fact]
    public void The_readme_prints_what_it_says()
    {
        using StringWriter output = new();
        Example(output);
        Assert.Matches("^10[0-9]{2} to 10[0-9]{2} at 99 ?%; at most 20 wide$", output.ToString().Trim());
    }

    [Fact]
    public void The_readme_is_this_example()
    {
        string readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "PACKAGE.md"));
        string shown = readme.Split("```csharp\n")[1].Split("```")[0];
        string source = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "PackageExampleTests.cs.txt"));
        string run = source.Split("// example\n")[1].Split("        // end")[0];
        Assert.Equal(shown, string.Join('\n', run.Split('\n').Select(line => line.Length > 8 ? line[8..] : line.Trim())));
    }
}
