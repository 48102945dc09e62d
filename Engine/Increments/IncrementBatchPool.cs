using System.Collections.Concurrent;
using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Increments;

/// <summary>Keeps batches with their arrays, so that a busy door allocates none: as many as a few full streams have on their way, some 25 MB of the usual size.</summary>
internal sealed class IncrementBatchPool(CounterCatalogue catalogue)
{
    private const int Kept = 512;
    private const int LargeKept = 64;

    private readonly ConcurrentQueue<IncrementBatch> _free = new();

    public IncrementBatch Rent(NamespaceEntry owner)
    {
        IncrementBatch batch = _free.TryDequeue(out IncrementBatch? kept) ? kept : new IncrementBatch(this, catalogue);
        batch.Begin(owner);
        return batch;
    }

    public void Return(IncrementBatch batch)
    {
        if (_free.Count < (batch.IsLarge ? LargeKept : Kept))
        {
            _free.Enqueue(batch);
        }
    }
}
