using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Sketch.Bench.Sketches;

/// <summary>
/// Short runs inside this process: the repository's lock files and central versions leave BenchmarkDotNet no project to generate.
/// </summary>
internal sealed class InProcessConfig : ManualConfig
{
    public InProcessConfig() => AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
}
