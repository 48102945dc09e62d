using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

/// <summary>The package's README, run as it is written.</summary>
public sealed class PackageExampleTests
{
    private static void Example(TextWriter Console)
    {
        // example
        SketchKey key = SketchKey.Derive("sixteen secret bytes, or more"u8, "views", log: 0, position: 0);
        CountMinSketch views = new(memoryBytes: 1 << 20, key);
        HyperLogLog visitors = new(key.KeyId);
        HeavyHitters heaviest = new(capacity: 1_024, key);
        for (ulong page = 1; page <= 1_000; page++)
        {
            views.Add(page, delta: 3);
            heaviest.Add(page, delta: 3);
            visitors.Add(ElementHash.Compute(key, BitConverter.GetBytes(page % 100)));
        }

        Console.WriteLine($"page 7: {views.Estimate(7)} views, never too low; {visitors.Estimate():0} visitors; at most {heaviest.Bounds(7).Upper}");
        // end
    }

    [Fact]
    public void The_readme_prints_what_it_says()
    {
        using StringWriter output = new();
        Example(output);
        Assert.Equal("page 7: 3 views, never too low; 100 visitors; at most 3", output.ToString().Trim());
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
