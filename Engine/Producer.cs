using System.IO.Hashing;
using System.Text;
using Sketch.Engine.Catalogue;

namespace Sketch.Engine;

/// <summary>Who sent a batch, as the log knows it.</summary>
internal static class Producer
{
    /// <summary>Null when the pair is allowed, else the refusal.</summary>
    public static Rejection? Check(string? producer, long sequence)
    {
        if (producer is null)
        {
            return sequence == 0
                ? null
                : new Rejection(RejectionReason.Invalid, "sequence", $"{sequence}", "no sequence without a producer");
        }

        int bytes = Encoding.UTF8.GetByteCount(producer);
        if (bytes is < 1 or > EngineLimits.MaxProducerBytes)
        {
            return new Rejection(
                RejectionReason.Invalid, "producer", $"{CounterName.Shown(Encoding.UTF8.GetBytes(producer))} ({bytes} bytes)",
                $"1 to {EngineLimits.MaxProducerBytes} bytes of UTF-8");
        }

        return sequence >= 1
            ? null
            : new Rejection(RejectionReason.Invalid, "sequence", $"{sequence}", $"1 to {long.MaxValue}, one higher for each new batch of the producer");
    }

    /// <summary>The 128-bit hash that stands for the producer in the log; zero for none.</summary>
    public static UInt128 Hash(string? producer)
    {
        if (producer is null)
        {
            return UInt128.Zero;
        }

        Span<byte> utf8 = stackalloc byte[EngineLimits.MaxProducerBytes];
        return XxHash128.HashToUInt128(utf8[..Encoding.UTF8.GetBytes(producer, utf8)]);
    }
}
