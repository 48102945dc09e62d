using MessagePack;

namespace Sketch.Server.Commands.Bench;

/// <summary>A value that a dashboard showed.</summary>
/// <param name="Watcher">The dashboard.</param>
/// <param name="Name">The counter.</param>
/// <param name="AsOf">As of when.</param>
/// <param name="Value">The value.</param>
/// <param name="Lower">The truth is not below this, at the confidence asked for.</param>
/// <param name="Upper">The truth is not above this, at the confidence asked for.</param>
internal readonly record struct SeenValue(int Watcher, string Name, DateTime AsOf, long Value, long Lower, long Upper)
{
    /// <summary>The values of a frame, from SignalR's message around it: [1, headers, id, method, [frame], ...].</summary>
    public static IReadOnlyList<SeenValue> Of(int watcher, ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = new(message.ToArray());
        reader.ReadArrayHeader();
        for (int before = 0; before < 4; before++)
            reader.Skip();
        reader.ReadArrayHeader();
        DateTime asOf = default;
        List<SeenValue> values = [];
        for (int left = reader.ReadMapHeader(); left > 0; left--)
        {
            switch (reader.ReadString())
            {
                case "asOf":
                    asOf = reader.ReadDateTime();
                    break;
                case "values":
                    for (int more = reader.ReadArrayHeader(); more > 0; more--)
                        values.Add(Read(watcher, ref reader));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return [.. values.Select(value => value with { AsOf = asOf })];
    }

    private static SeenValue Read(int watcher, ref MessagePackReader reader)
    {
        SeenValue seen = new(watcher, "", default, 0, 0, 0);
        for (int left = reader.ReadMapHeader(); left > 0; left--)
        {
            switch (reader.ReadString())
            {
                case "name":
                    seen = seen with { Name = reader.ReadString()! };
                    break;
                case "value":
                    seen = seen with { Value = reader.ReadInt64() };
                    break;
                case "lower":
                    seen = seen with { Lower = reader.ReadInt64() };
                    break;
                case "upper":
                    seen = seen with { Upper = reader.ReadInt64() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return seen;
    }
}
