using System.Runtime.InteropServices;
using Sketch.Server.Commands.Bench;

namespace Sketch.Tests.Server;

public sealed class ValueAuditTests
{
    private readonly ValueAudit _audit = new();

    public ValueAuditTests()
    {
        // One is surely counted at second 2, a second is on its way from 5 to 7, a third is never acknowledged.
        Count(sent: 1, acknowledged: 2);
        Count(sent: 5, acknowledged: 7);
        _audit.Count(Ids(1), At(9), DateTime.MaxValue);
    }

    [Theory]
    [InlineData(3, 1, 1, true)]
    [InlineData(3, 2, 3, false)]
    [InlineData(6, 1, 1, true)]
    [InlineData(6, 2, 2, true)]
    [InlineData(8, 1, 1, false)]
    [InlineData(10, 3, 3, true)]
    [InlineData(10, 4, 4, false)]
    public void Bounds_hold_the_truth_between_what_was_acknowledged_and_what_was_sent(int second, long lower, long upper, bool holds)
    {
        See(second, lower, lower, upper);
        Assert.Equal(new LiveAudit(1, holds ? 1 : 0, 0, 0), Found());
    }

    [Fact]
    public void Values_are_held_against_the_bounds_before_them_only_while_their_counter_surely_rests()
    {
        See(3, 1, 0, 1);
        See(4, 2, 1, 2);
        See(6, 2, 2, 2);
        See(8, 9, 2, 9);
        Assert.Equal(new LiveAudit(4, 4, 1, 1), Found());
    }

    private void Count(int sent, int acknowledged) => _audit.Count(Ids(1, 2), At(sent), At(acknowledged));

    private void See(int second, long value, long lower, long upper) => _audit.See(new SeenValue(0, "a", At(second), value, lower, upper));

    private LiveAudit Found() => _audit.Compare(_ => 1);

    private static DateTime At(int second) => DateTime.UnixEpoch.AddSeconds(second);

    private static byte[] Ids(params ulong[] ids) => MemoryMarshal.AsBytes<ulong>(ids).ToArray();
}
