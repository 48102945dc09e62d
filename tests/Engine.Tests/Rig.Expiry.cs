using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Engine;

/// <content>Counters that nobody increments.</content>
internal sealed partial class Rig
{
    public Task Expire() => Engine.ExpireAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Lets log time pass: what comes from outside moves it, here a counter named busy.</summary>
    public async Task Pass(TimeSpan time)
    {
        Time.Advance(time);
        await Add("busy", 1);
        await Checkpoint();
    }

    /// <summary>Ends a run of expiry after its record of expiring counters, by a store that does not answer the second time; false when no counter is idle.</summary>
    public async Task<bool> BeginToExpire()
    {
        Store.BeforeNames = () =>
        {
            Store.BeforeIdle = () => throw new CheckpointStoreException("the store is away");
            return Task.CompletedTask;
        };
        Exception? error = await Record.ExceptionAsync(Expire);
        Store.BeforeIdle = Store.BeforeNames = () => Task.CompletedTask;
        Assert.True(error is null or CheckpointStoreException, $"{error}");
        return error is not null;
    }

    /// <summary>A batch of columns, not sent yet.</summary>
    public IncrementBatch Columns(params (string Name, long Delta)[] increments)
    {
        IncrementBatch batch = Engine.RentBatch(Namespace)!;
        ulong[] ids = [.. increments.Select(i => CounterId.Of(Namespace, i.Name))];
        Rejection? refused = batch.Add(ids, [.. increments.Select(i => i.Delta)], out _);
        Assert.Null(refused);
        return batch;
    }

    /// <summary>A batch that calls a counter by the number of its name, the only one, not sent yet.</summary>
    public IncrementBatch Numbered(NumberedNames names, string name, long delta)
    {
        IncrementBatch batch = Engine.RentBatch(Namespace)!;
        Assert.Null(names.Count > 0 ? null : batch.Declare(System.Text.Encoding.UTF8.GetBytes(name), names));
        Assert.Null(batch.Add(names, [0], [delta], out _));
        return batch;
    }

    public async Task<IncrementResult> Commit(IncrementBatch batch)
    {
        using (batch)
        {
            return await Engine.CommitAsync(batch, null, 0, CancellationToken.None);
        }
    }
}
