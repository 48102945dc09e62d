using Sketch.Engine.Checkpoints;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Tests.Simulation.World;

namespace Sketch.Tests.Simulation.Bugs;

/// <summary>
/// A mistake that someone might make, put in from outside at a seam: a simulation that does not notice it is not worth its time. This one makes none.
/// </summary>
internal class Bug
{
    /// <summary>Whether the store takes a window that comes again for the same one.</summary>
    public virtual bool StoresOnce => true;

    public virtual ILogDisk Wrap(ILogDisk disk) => disk;

    public virtual IIncrementLog Wrap(IIncrementLog log, TimeProvider clock) => log;

    public virtual ICheckpointStore Wrap(ICheckpointStore store, IIncrementLog log) => store;

    public virtual Task<IncrementResult> CommitAsync(Sent sent, Func<Task<IncrementResult>> send) => send();

    public virtual IReadOnlyList<CounterValue?> Read(IReadOnlyList<CounterValue?> values) => values;
}
