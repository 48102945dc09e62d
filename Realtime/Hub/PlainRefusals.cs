using Microsoft.AspNetCore.SignalR;

namespace Sketch.Realtime.Hub;

/// <summary>SignalR puts the type of an exception before its words: clients see the one type that stands for all refusals.</summary>
internal sealed class PlainRefusals : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocationContext);
        }
        catch (SubscriptionRefusedException refused)
        {
            throw Plain(refused);
        }
    }

    public static HubException Plain(SubscriptionRefusedException refused) => new(refused.Message);
}
